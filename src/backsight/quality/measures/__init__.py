"""What is measured of a finished sequence, by the definitions of `records.measures`."""
