"""One HTML file with pictures: what the model sees, how well, and beside whom."""
