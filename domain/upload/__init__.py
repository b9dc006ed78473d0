"""One upload: a file on its way into the chunk store, its events, its state and its checks."""
