"""A page with pictures about the quality of a data set."""
