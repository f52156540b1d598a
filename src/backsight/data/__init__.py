"""From stored sequences to training batches: keyframes, sampling, batches, ground truth."""
