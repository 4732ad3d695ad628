"""What is danced in a circle of people who watch: krump, popping, locking, tutting, breaking and capoeira."""

from training.data.choreography.dance import Dance as D

DANCES = (
    # krump
    D("krump stomp and jab", "hiphop",
      legs="2: L4u4y35 . R0u1 R3u4y35 . Lk1f2u4 L2u3 .",
      body="2: deep+popF*2! low+popB*1.5 low deep+popF*2! low+popB*1.5 arch+leanR deep+twistR*1.2! low",
      arms="2: point|fistlow! guard fistlow|point! guard fist|throw goal|fist! cut! wing", head="2: nod*1.4 look nod "
           "nod*1.4 look look nod*1.4 -", hands="fist", groove="", ease="!", flip=True),
    D("krump arm swings", "hiphop",
      legs="Lj4y35+Rj4y35 . L5y40 R2 R5y40 L2 Lj1+Rj1 .",
      body="deep+bow! arch+tall deep+leanL*1.2 low+twistR deep+leanR*1.2 low+twistL popF*2! deep+bow",
      arms="2: throw! lowout throw|point! point|throw! outup|fistlow! fistlow|outup! goalwide fist! throw|guard! "
           "guard|throw! vee! cut! up! boxlow! fist! lowout", hands="fist", groove="down5", ease="!"),
    # popping
    D("fresno pops", "robot",
      legs="L3y20 Lp0 R3y20 Rp0 L3y30 Lp-10 R3y30 Rp-10",
      body="popF*1.3+leanL! popB*.8! popF*1.3+leanR! popB*.8! popF*1.3+leanL*1.2! popB+low! popF*1.3+leanR*1.2! "
           "popB+low!",
      arms="goalwide|boxfore! boxlow! boxfore|goalwide! boxlow! out|chinbar! wingdown! chinbar|out! wingdown!",
      head="tiltL! -! tiltR! -! tiltL! nod! tiltR! nod!", groove="", ease="!"),
    D("twist-o-flex", "robot",
      legs="Lp-10+Rp40 . Lp16+Rp16 . Lp40+Rp-10 . Lp16+Rp16 .",
      body="hturnL*1.3! hturnL*1.3+twistL*1.6! twistL*1.6! -! hturnR*1.3! hturnR*1.3+twistR*1.6! twistR*1.6! low!",
      arms="boxlow|goaldown! chestbar|goalwide! out|chestbar! boxlow! goaldown|boxlow! goalwide|chestbar! "
           "chestbar|out! "
           "goalwide!", head="-! -! tiltL! -! -! -! tiltR! nod!", groove="", ease="!"),
    D("egyptian tut", "robot",
      legs="^40+L0f1y5 R0f2y5 L0f2y5 ^0+R0y20 ^-40+R0f1y5 L0f2y5 R0f2y5 ^0+L0y20",
      body="tall! tall! tall! twistL! tall! tall! tall! twistR!",
      arms="crane|boxlow! boxlow|crane! crane|boxlow! boxup|boxin! boxlow|crane! crane|boxlow! boxlow|crane! "
           "boxin|boxup!",
      head="neckL! neckR! neckL! -! neckR! neckL! neckR! -!", groove="up2", ease="!"),
    D("king tut boxes", "robot",
      legs="L3y40 . Rs1y0 . R3y40 . Ls1y0 .", body="slideR*1.2! . low! . slideL*1.2! . low! .",
      arms="2: boxin|chinbar! chinbar|boxin! boxup! boxin! chestbar|boxup! boxup|chestbar! goalin! wing! boxout|boxup! "
           "boxup|boxout! chinbar! boxdown! boxin|boxout! boxout|boxin! crane! boxup!", groove="", ease="!"),
    # locking
    D("lock and point", "disco",
      legs="L2y30 . Rk1f5u5w.6 R1 . Lt-1 Lj3y30+Rj3y30 .",
      body="fold*.7+low! . arch+leanL fold*.6+deep! . leanR*.8 deep+bow! .",
      arms="2: hrolltop|hrollbottom hrollbottom|hrolltop wingdown! . reach|fistlow! . goaldown! . vee|fistlow! "
           "fist|fistlow! "
           "up|fistlow! . hrolltop|hrollbottom hrollbottom|hrolltop wingdown! .",
      hands="2: fist . . . point . fist . point . . . fist . . .", groove="down4", ease="!", flip=True),
    D("scooby steps", "disco",
      legs="2: Lk3f4u3 Rj1+Lk3b1u3 L0b1 Rk3f4u3 Lj1+Rk3b1u3 R0b1 L2 R1",
      body="2: arch*.7+leanR bow*1.2 low arch*.7+leanL bow*1.2 low deep -",
      arms="2: lowout|vee! goal fist vee|lowout! goal fist clap! clap!", groove="up3", flip=True),
    # breaking: on the feet, then low
    D("front step brooklyn", "toprock",
      legs="2: ^25+Lk-2f4u3 L0b1 R0b2 . ^-25+Rk-2f4u3 R0b1 L3b1 R0",
      body="2: arch*.6+twistR bow*1.4+low low . arch*.6+twistL bow*1.4+low low -",
      arms="2: hug! wing out! . hug! wing vee! .", groove="up5", flip=True),
    D("squat kicks", "toprock",
      legs="2: (Lk3f5u2 L0 Rk3f5u2 R0 Lk5f2u2 L0 Rk5f2u2 R0)2",
      body="2: squat+leanR*.4 squat*.9 squat+leanL*.4 squat*.9 squat+leanR*.6 squat*.9 squat+leanL*.6 squat*.9",
      arms="2: out|groundout! wing groundout|out! wing vee|groundout! wing groundout|vee! wing", groove="down4"),
    # capoeira
    D("ginga", "toprock",
      legs="L4y25 . R-1b5y30 . R4y25 . L-1b5y30 .",
      body="low+leanL . deep+bow*1.2+twistR*.8 low+bow low+leanR . deep+bow*1.2+twistL*.8 low+bow",
      arms="lowout . outdown|guardswing . lowout . guardswing|outdown .", head="- . nod . - . nod .", groove="down2"),
    D("wheel kick", "toprock",
      legs="2: L4y30 . ^120+R-1 . ^250+Lk3f3u5+Rp16 . ^360+L3+Rp16 R3 R4y30 . ^240+L-1 . ^110+Rk3f3u5+Lp16 . "
           "^0+R3+Lp16 L3",
      body="2: low+leanL . deep+bow . leanR*1.6 . low . low+leanR . deep+bow . leanL*1.6 . low .",
      arms="2: guard|out . cut . out|vee . lowout guard out|guard . cut . vee|out . lowout guard", groove=""),
)  # fmt: skip
