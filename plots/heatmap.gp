# Latency and energy for each pair of weight and activation bits: `simacc plot heatmap`. See style.gp.
csv = ARG1; picture = ARG2; format = ARG3; theme = ARG4
folder = ARG0[1:strlen(ARG0) - strlen("heatmap.gp")]
load folder . "style.gp"
# From light to dark in steps of equal lightness, on either ground: words on the darker half are white.
set palette defined (0 "#eef4fa", 0.25 "#b9d4ea", 0.5 "#74a9cf", 0.51 "#4f8fc0", 0.75 "#23659f", 1 "#08306b")
set cbrange [0:1]
unset colorbox
unset border

do for [p = 1:panels] {
    load folder . "panel.gp"
    plot NaN notitle, \
        csv using (of_x("tile", p, 0)):(column("y")):(0.48):(0.47):(column("x2")) with boxxyerror \
            linecolor palette fillstyle solid 1.0 noborder notitle
}
unset multiplot
unset output
