"""What there is to hear in sound: features, beats, bars, energy, genre, live and of a whole song."""
