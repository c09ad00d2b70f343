# Where the time and the energy of runs go: `simacc plot breakdown`. All of it is boxes and words. See style.gp.
csv = ARG1; picture = ARG2; format = ARG3; theme = ARG4
folder = ARG0[1:strlen(ARG0) - strlen("breakdown.gp")]
load folder . "style.gp"
set border 1
if (!text) { set grid xtics back linecolor rgb faint linetype 1 linewidth 0.5 }

do for [p = 1:panels] {
    load folder . "panel.gp"
    plot NaN notitle
}
unset multiplot
unset output
