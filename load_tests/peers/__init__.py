"""Small programs that answer the same questions in the ways that someone could pick instead.

Each is an ASGI application in a file, `app`, and is served by uvicorn with uvloop and httptools, as
the API is. They are written as their libraries' documentation has it, and are given the easier
work: prices are stored, not made; nothing is followed; parameters have no bounds but their types.
"""
