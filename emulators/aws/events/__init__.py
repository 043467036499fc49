"""This package is the emulated Amazon EventBridge: buses, and PutEvents with its limits."""
