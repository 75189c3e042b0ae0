"""Files whole or not at all, checksums, arrays, tensors, logs, devices and random generators."""
