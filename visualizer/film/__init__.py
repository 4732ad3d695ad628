"""The same show without a window, into a file: films, image sequences, loops; and videos of the live show."""
