# The bits of each layer and what bounds it: `simacc plot bits`. All of it is boxes and words. See style.gp.
csv = ARG1; picture = ARG2; format = ARG3; theme = ARG4
folder = ARG0[1:strlen(ARG0) - strlen("bits.gp")]
load folder . "style.gp"
set border 1
if (!text) { set grid ytics back linecolor rgb faint linetype 1 linewidth 0.5 }

do for [p = 1:panels] {
    load folder . "panel.gp"
    plot NaN notitle
}
unset multiplot
unset output
