"""An iterable of one block that knows its length, and others whose len() does not work."""

HEADERS = [("Content-Type", "text/plain")]


class Sized:
    blocks = (b"sized",)

    def __init__(self, environ, start_response):
        start_response("200 OK", list(HEADERS))

    def __iter__(self):
        return iter(self.blocks)

    def __len__(self):
        return len(self.blocks)


class Broken(Sized):
    def __len__(self):
        raise RuntimeError("not known yet")


class Shy(Sized):
    """Touched anywhere but where PEP 3333 allows it, it raises (W58)."""

    def __getattribute__(self, name):
        if name == "blocks":
            return (b"shy",)
        if name == "close":
            raise AttributeError(name)
        raise RuntimeError(f"the server looked at {name}")


app = Sized
