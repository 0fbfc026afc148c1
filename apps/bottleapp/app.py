"""The matrix's application in Bottle."""

from importlib.metadata import version

from bottle import Bottle, response

app = Bottle()


@app.get("/hello")
def hello() -> str:
    # Bottle's default is text/html with charset=UTF-8. It adds Content-Length behind this field.
    response.content_type = "text/plain; charset=utf-8"
    return "Hello, World!\n"


@app.get("/framework")
def framework() -> dict[str, str]:
    return {"framework": "bottle", "version": version("bottle")}
