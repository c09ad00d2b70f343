# How much faster and thriftier than a baseline: `simacc plot speedup`. Boxes, words, and a line at the baseline. See
# style.gp.
csv = ARG1; picture = ARG2; format = ARG3; theme = ARG4
folder = ARG0[1:strlen(ARG0) - strlen("speedup.gp")]
load folder . "style.gp"
set border 1
if (!text) { set grid xtics back linecolor rgb faint linetype 1 linewidth 0.5 }

do for [p = 1:panels] {
    load folder . "panel.gp"
    plot NaN notitle, \
        csv using (of_x("rule", p, 0)):(column("y")):(0):(column("y2") - column("y")) \
            with vectors nohead linecolor rgb muted linewidth 1 dashtype 2 notitle
}
unset multiplot
unset output
