# Points by two columns and the front that nothing beats: `simacc plot pareto`. See style.gp.
csv = ARG1; picture = ARG2; format = ARG3; theme = ARG4
folder = ARG0[1:strlen(ARG0) - strlen("pareto.gp")]
load folder . "style.gp"
if (!text) { set grid back linecolor rgb faint linetype 1 linewidth 0.5 }
# Points that others beat are smaller and stand back, in the colour of their series.
pale(k) = (dark ? "#90" : "#80") . colour(k)[2:7]

do for [p = 1:panels] {
    load folder . "panel.gp"
    plot NaN notitle, \
        for [s in styles_of("cloud", p)] csv using (of_x("cloud", p, int(s))):(column("y")):(size_of(column("x2"), int(s))) \
            with points pointtype marker(int(s)) pointsize variable linecolor rgb pale(int(s)) notitle, \
        for [s in styles_of("line", p)] csv using (of_x("line", p, int(s))):(column("y")):(column("x2") - column("x")):(column("y2") - column("y")) \
            with vectors nohead linecolor rgb colour(int(s)) linewidth 1.2 dashtype int(of(dashes, int(s))) notitle, \
        for [s in styles_of("point", p)] csv using (of_x("point", p, int(s))):(column("y")):(size_of(column("x2") + 1.2, int(s))) \
            with points pointtype marker(int(s)) pointsize variable linecolor rgb background notitle, \
        for [s in styles_of("point", p)] csv using (of_x("point", p, int(s))):(column("y")):(size_of(column("x2"), int(s))) \
            with points pointtype marker(int(s)) pointsize variable linecolor rgb colour(int(s)) notitle
}
unset multiplot
unset output
