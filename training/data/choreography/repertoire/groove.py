"""Grooves of Africa and the Caribbean, and of the ballroom scene: amapiano, afrobeats, dancehall, gumboot, vogue."""

from training.data.choreography.dance import Dance as D

DANCES = (
    # amapiano: the heels and knees play the log drum
    D("log drum heels", "house",
      legs="2: Lh3f2 L2y-20 Lp30 . Rt-1b2 R2y40 Rp-20 .",
      body="2: leanR*.8+low . kneesI*1.2+low*.8 kneesO+low leanL*.8+bow low kneesO*1.2+low*.6 bow*.5",
      arms="2: acrossup|pocket . outdown|fistlow outdown|ear . ear|belt outdown|offer .",
      head="2: tiltL . nod - tiltR . nod -", hands="2: point|fist . . . fist|point . . .", groove="down7", flip=True),
    D("piano knees", "house",
      legs="2: L3y40 R2y40 Rq-24+Lq-24 Lq45+Rq45 Rq-24+Lq-24 Lq45+Rq45 L1y5 R0y5",
      body="2: low low kneesI*1.2+low kneesO*1.4+low kneesI*1.2+low kneesO*1.4+low tall bow*.6",
      arms="2: boxlow|halt halt|boxlow wing goaldown wing goaldown reach|fistlow fistlow|reach", groove="down3x2",
      flip=True),
    # afrobeats
    D("stamp and chop", "hiphop",
      legs="2: Rk1f5u4 R0u2 Rk3f4u4 R2u2 . Lk1f6u4 L0u2 Rt0",
      body="2: arch*.5+leanL bow*1.5+low arch*.5+leanL bow*1.7+low low arch*.6+leanR deep+bow low",
      arms="2: outup|fistlow front|fistlow outup|fistlow front|fistlow . goalwide|outup guardlow|front ready",
      hands="open", groove="down5", flip=True),
    D("wash and drive", "hiphop",
      legs="2: (Lp40+Rk1f1u1.5 R0+Lp-15 Lp40+Rk2f1u1.5 R2+Lp-15 Rp40+Lk1f1u1.5 L0+Rp-15 Rp40+Lk2f1u1.5 L2+Rp-15)2",
      body="2: hipR*1.3+low - hipR*1.3+low leanR hipL*1.3+low - hipL*1.3+low leanL",
      arms="2: steerup|steerdown! steerdown|steerup steerup|steerdown! fist rolltop|rollbottom rollbottom|rolltop "
           "rolltop|rollbottom fist", head="2: tiltL tiltR tiltL look tiltR tiltL tiltR look", hands="fist",
      groove="down8"),
    D("gallop wrists", "hiphop",
      legs="2: (@1+L1 R-1b2 @2+L2b1 R1 @1+R1 L-1b2 @0+R2b1 L1)2", body="2: (bow*1.8+low*.7 bow*1.1+low*1.4)4",
      arms="2: (chestbar|front front|chestbar)4", head="2: (nod look)4", hands="fist", groove="down6"),
    D("marionette bounce", "hiphop",
      legs="L4y35u2 . Rt0 R1 R4y35u2 . Lt0 L1",
      body="2: deep+leanL low+leanL*.4 deep+leanL low+leanL*.4 leanR*.8 low tall+popF bow",
      arms="2: muscle|outdown goal|outdown muscle|outdown goalwide|outdown chinbar . out|muscle goal|out",
      groove="down7"),
    # dancehall
    D("row the boat", "party",
      legs="^30+Ls4f1y30+Rs3b1 . . . ^-30+Ls3b1+Rs4f1y30 . . .",
      body="2: bow*1.4+low bow*.8 arch*.9+deep arch*.4+low bow*1.4+low bow*.8 arch*.9+deep arch*.4+low",
      arms="2: swim/ frontup/ fist/ lapel/", hands="fist", groove="down4"),
    D("wave to the sound man", "hiphop",
      legs="2: L3u1.5 L1 R2u1.5 R0 . Lt-1f1 L2 R1",
      body="2: dropL*1.2+low leanL*.4 dropR*1.2+low leanR*.4 popB*1.2 popF*1.2 deep tall",
      arms="2: up|outdown outup|outdown over|outdown outup|outdown up|wing outup|wing vee! wing",
      head="2: tiltL tiltR tiltL tiltR nod look nod look", groove="down7", flip=True),
    D("skank and lift", "bhangra",
      legs="2: (Lk1f4u5 L1 R0 . Rk1f4u5 R1 L0 .)2",
      body="2: fold*.5+low bow*1.2 bow*.5 low fold*.5+low bow*1.2 bow*.5 low",
      arms="2: goalin|lowout! boxlow wing! boxlow lowout|goalin! boxlow wing! boxlow", hands="fist", groove="down8"),
    # gumboot: boots are the drum
    D("gumboot slap", "party",
      legs="2: (Lk1f3u5 L0 Rk1f3u5 R0 Lk3b1u4 L1u2 Rk3b1u4 R1u2)2",
      body="2: bow*1.8+low bow*.7 bow*1.8+low bow*.7 leanL*1.2+bow low leanR*1.2+bow low",
      arms="2: goaldown|bootslap! clap bootslap|goaldown! clap bootout|out! clap out|bootout! clap", groove="down8"),
    # vogue: hands frame the face, hips walk
    D("vogue runway", "house",
      legs="@0f1+^12+L-1f1y5 @0f3+^-12+R-1f1y5 @0f5+^12+L-1f1y5 ^0+R1y40 @0f4+L-1y10 @0f2+R-1y10 @0f1+L-1y10 "
           "@0f1+R2y35",
      body="hipL*1.6+twistR hipR*1.6+twistL hipL*1.6+twistR hipR*2+leanL*.6 hipL*1.3+arch*.6 hipR*1.3+arch*.6 "
           "hipL*1.3+arch*.6 low+hipR*1.6",
      arms="2: boxup|halo! . halo|boxup! . eyes|halo! . chinbar|boxup! . palmout|hip . hip|palmout . eyes! . "
           "crown|reach! .", head="look tiltL look tiltR*1.4 look tiltR look tiltL*1.4", groove="up4"),
    D("hand performance", "house",
      legs="L3y35 . Rd1b2 . R3y35 . Ld1b2 .",
      body="slideL*1.3+low hipL slideR low+hipR slideR*1.3+low hipR slideL low+hipL",
      arms="2: eyes cheek halo boxup chinbar wing goal goalin boxup|chinbar chinbar|boxup eyes|halo halo|eyes out wing "
           "vee cheek", head="look tiltL look tiltR look tiltR look tiltL", groove="down2", ease="!", flip=True),
    D("duck walk", "house",
      legs="2: Lr0f2 Rk0f4u2 Rr0f2 Lk0f4u2 Lr0f2 Rk0f4u2 Rr0f2 Lk0f4u2",
      body="2: (squat*.8 squat*.95+kneesO*.5)4", arms="2: wave1 wave3 wave2 out wave1 wave3 goal halo",
      head="2: (tiltL look tiltR look)2", groove="", flip=True),
)  # fmt: skip
