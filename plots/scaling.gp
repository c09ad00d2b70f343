# Latency, tokens per second and energy over batch or context: `simacc plot scaling`. See style.gp.
csv = ARG1; picture = ARG2; format = ARG3; theme = ARG4
folder = ARG0[1:strlen(ARG0) - strlen("scaling.gp")]
load folder . "style.gp"
if (!text) { set grid back linecolor rgb faint linetype 1 linewidth 0.5 }

do for [p = 1:panels] {
    load folder . "panel.gp"
    plot NaN notitle, \
        for [s in styles_of("line", p)] csv using (of_x("line", p, int(s))):(column("y")):(column("x2") - column("x")):(column("y2") - column("y")) \
            with vectors nohead linecolor rgb (text ? muted : colour(int(s))) linewidth 1.4 dashtype int(of(dashes, int(s))) notitle, \
        for [s in styles_of("point", p)] csv using (of_x("point", p, int(s))):(column("y")):(size_of(column("x2") + 1.2, int(s))) \
            with points pointtype marker(int(s)) pointsize variable linecolor rgb background notitle, \
        for [s in styles_of("point", p)] csv using (of_x("point", p, int(s))):(column("y")):(size_of(column("x2"), int(s))) \
            with points pointtype marker(int(s)) pointsize variable linecolor rgb colour(int(s)) notitle
}
unset multiplot
unset output
