"""One provider a file: one attempt a call, timeouts on each, every answer a value or one of our errors."""
