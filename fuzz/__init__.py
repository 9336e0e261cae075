"""Every door of the service, given what nobody should send: ``python -m fuzz``.

An input is made from a seed, its door and its number, so that it can be made again.
"""
