"""The page that `dvc plots` fills, with the JavaScript of its charts inside.

DVC's own page loads that JavaScript from the network each time it is opened.

python tools/plots_page.py .dvc/plots.html
"""

import sys
from pathlib import Path
from string import Template

import vl_convert

from lstm_ae.core.files import write_text

VEGA_LITE = "5.21"  # DVC's charts are written in the fifth version
EMBED = "window.vegaEmbed = vegaEmbed;"

# DVC replaces {refresh_tag} and {plot_divs}. Images are halved: two revisions stand side by side.
PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>dvc plots</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; }
img { max-width: 47vw; height: auto; }
</style>
<script>(() => {
$bundle
})();</script>
</head>
<body>
{plot_divs}
</body>
</html>
""")


def page() -> str:
    """The page, with Vega, Vega-Lite and Vega-Embed inside."""
    bundle = vl_convert.javascript_bundle(EMBED, VEGA_LITE)
    bundle = bundle.replace("</script", r"<\/script")
    return PAGE.substitute(bundle=bundle)


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), page())
