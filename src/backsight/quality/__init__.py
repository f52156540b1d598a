"""Quality control: what is wrong with a sequence or a data set, judged from its content alone."""
