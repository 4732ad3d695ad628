"""Shuffle: fast feet on half beats, a quiet trunk."""

from training.data.choreography.dance import Dance as D

DANCES = (
    # shuffle
    D("running man", "shuffle",
      legs="2: (^30+L0f2.5+Rs0b2.5 Rk0f3u4 R0f2.5+Ls0b2.5 Lk0f3u4)2", body="2: (bow+low*.6 bow*.3)4",
      arms="2: (runback|runfore fistlow runfore|runback fistlow)2", groove="", flip=True),
    D("sideways t", "shuffle",
      legs="2: @1+Rs0y-25+Lk3u2.5 @2+Rs0y42+Lt0 @3+Rs0y-25+Lk3u2.5 @4+Rs0y42+Lt0 @5+Rs0y-25+Lk3u2.5 @6+Rs0y42+Lt0 L0 "
           "R0 @5+Ls0y-25+Rk3u2.5 @4+Ls0y42+Rt0 @3+Ls0y-25+Rk3u2.5 @2+Ls0y42+Rt0 @1+Ls0y-25+Rk3u2.5 @0+Ls0y42+Rt0 R0 "
           "L0", body="2: (leanR*.7 -)3 low - (leanL*.7 -)3 low -",
      arms="2: (hip|lowout ready)3 cut! ready (lowout|hip ready)3 cut! ready", groove="down2x2"),
    D("happy swivels", "shuffle",
      legs="2: Lk3u2+Rp45 L0+Rp-15 Rk3u2+Lp45 R0+Lp-15 Lk3u3+Rp45 Lk4u3+Rp-15 L0+Rp45 Rp-15",
      body="2: leanR*.5+kneesO - leanL*.5+kneesO - leanR*.8 leanR low -",
      arms="2: out|belt ready belt|out ready vee|out out lowout ready", groove="down2x2", flip=True),
    D("kick shuffle", "shuffle",
      legs="2: L0 Rk3f3u4 R0 Lk3f3u4 L-2b1 R2 L0 Rk3f3u4",
      body="2: low*.6 arch*.5+leanL low*.6 arch*.5+leanR low+twistR leanR*.5 - arch*.5+leanL",
      arms="2: loose fore|back loose lowout cut lowout loose fore|back", groove="down2", flip=True),
    D("v step shuffle", "shuffle",
      legs="2: L4f2 R4f2 L0 R0 L4b2 R4b2 L0 R0", body="2: leanL+low leanR+low - - leanL+bow leanR+bow - -",
      arms="2: fist|low low|fist guardlow guardlow lowout lowout guardlow guardlow", groove="up8", flip=True),
    D("heel tap runner", "shuffle",
      legs="2: L0 Rh2f3 R0 Lh2f3 L0 Lk0b3u4 L0 Rh2f3",
      body="2: - leanL*.5+arch*.5 - leanR*.5+arch*.5 - bow*1.5+low - leanL*.5+arch*.5",
      arms="2: loose lowout loose outup loose back loose lowout", groove="down3x2", flip=True),
    D("spongy glide", "shuffle",
      legs="2: @1+Ls2y40+Rt0 @2+Rs0y-10+Ls0y-10 @3+Ls2y40+Rt0 @4+Rs0y-10+Ls0y-10 L0u2 R0u2 L0u2 R0u2",
      body="2: leanL*.8 leanR*.3 leanL*.8 leanR*.3 low - low -",
      arms="2: wave1|wave3/ wave2|wave1/ wave3|wave2/ wave1|wave3/ fist|low low|fist fist|low low|fist",
      groove="", flip=True),
    D("box runner", "shuffle",
      legs="2: ^60+L0f2+Rs0b2 Rk0f2u4 ^0+R0f2+Ls0b2 Lk0f2u4 ^-60+L0f2+Rs0b2 Rk0f2u4 ^0+R0f2+Ls0b2 Lk0f2u4",
      body="2: (bow+low*.6 bow*.3)4", arms="2: (runfore|fistlow fistlow fistlow|runfore fistlow)2", groove="",
      flip=True),
    D("cross hop shuffle", "shuffle",
      legs="2: Lj-1f2+Rj-1b1 Lj3+Rj3 Rj-1f2+Lj-1b1 Lj3+Rj3 L0 Rk2f3u4 R0 Lk2f3u4",
      body="2: low - low - - arch*.5 - arch*.5", arms="2: cut lowout cut lowout loose back|fore loose fore|back",
      groove="", flip=True),
    D("stomp and drag", "shuffle",
      legs="2: L5u2y30 . Rs0b1 . Lk0f2u4 L0 Rk0f2u4 R0", body="2: leanL+deep . leanL*.4 . bow*.5 low bow*.5 low",
      arms="2: out|fist! . guardlow . runback|runfore ready runfore|runback ready", groove="", flip=True),
)  # fmt: skip
