"""English for instructions, answers and reasoning steps."""
