"""The training losses: pure functions over tensors, unreduced over maps, groups or pairs."""
