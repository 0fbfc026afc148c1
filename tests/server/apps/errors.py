"""Writes to wsgi.errors what no encoding of eight bits holds, and what is no text at all."""

TEXT = "latin ä, greek λ, emoji 🎉, lone surrogate \ud800"


def app(environ, start_response):
    errors = environ["wsgi.errors"]
    errors.write(f"write: {TEXT}\n")
    errors.writelines([f"writelines: {TEXT}\n", "the last line\n"])
    errors.flush()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"noted"]
