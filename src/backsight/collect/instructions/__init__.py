"""Instructions: what is said of a walk, in words and as a target that can be checked."""
