"""The page that `dvc plots` fills, with the charts' JavaScript inside: DVC's own loads it from the network each time it is opened.

python tools/plots_page.py .dvc/plots.html
"""

import sys
from pathlib import Path
from string import Template

import vl_convert

from lstm_ae.core.files import write_text

VEGA_LITE = "5.21"  # the fifth version is what DVC's charts are written in

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
    """The page, Vega, Vega-Lite and Vega-Embed inside."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    return PAGE.substitute(bundle=bundle.replace("</script", r"<\/script"))


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), page())
