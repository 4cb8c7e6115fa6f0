"""The parts of `benches/proxy.py`."""
