"""Footage: any video in, silhouettes out, in the frames that the encoder knows.

A video is read once (`extract`): pictures (`video`), a mask of each (`masks`), what is seen in it (`figure`). Then crop
and floor are followed (`crop`), beats are found (`beats`), and what is kept is written with a report.
"""
