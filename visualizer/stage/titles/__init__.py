"""Words and pictures over the dance: a title, a countdown, the time, the song, a logo and a QR code.

`visualizer.titles` says what is to be read; here it is set in the letters of the look and put in the look's place.
"""
