# Opens panel p of a chart: margins, axes, ticks, the boxes that belong to it; with the last panel the words. The
# script then plots once.
unset object
unset label
unset arrow
unset xtics
unset ytics
ticked_x = 0
ticked_y = 0
do for [r = 1:rows] {
    if (part[r] eq "panel" && panel[r] == p) {
        set lmargin at screen at_x[r]; set rmargin at screen to_x[r]
        set bmargin at screen at_y[r]; set tmargin at screen to_y[r]
    }
    if (part[r] eq "x_axis" && panel[r] == p) {
        if (words_of[r] eq "log") { set logscale x } else { unset logscale x }
        set xrange [at_x[r]:to_x[r]] noextend
    }
    if (part[r] eq "y_axis" && panel[r] == p) {
        if (words_of[r] eq "log") { set logscale y } else { unset logscale y }
        set yrange [at_x[r]:to_x[r]] noextend
    }
    if (part[r] eq "x_tick" && panel[r] == p) {
        if (ticked_x) { set xtics add (words_of[r] at_x[r]) } else { set xtics nomirror (words_of[r] at_x[r]) textcolor rgb muted }
        ticked_x = 1
    }
    if (part[r] eq "y_tick" && panel[r] == p) {
        if (ticked_y) { set ytics add (words_of[r] at_x[r]) } else { set ytics nomirror (words_of[r] at_x[r]) textcolor rgb muted }
        ticked_y = 1
    }
    # Of the sheet (panel 0) with the first panel, behind everything.
    if (part[r] eq "box" && (panel[r] == p || (p == 1 && panel[r] == 0))) {
        set object rectangle from screen at_x[r],at_y[r] to screen to_x[r],to_y[r] fillcolor rgb colour(series[r]) \
            fillstyle solid 1.0 noborder back
    }
    if (p == panels && part[r] eq "leader") {
        set arrow from screen at_x[r],at_y[r] to screen to_x[r],to_y[r] nohead linecolor rgb frame linewidth 0.6 front
    }
    if (p == panels && part[r] eq "mark") {
        set label "" at screen at_x[r],at_y[r] point pointtype marker(series[r]) pointsize size_of(5, series[r]) \
            linecolor rgb colour(series[r]) front
    }
    if (p == panels && part[r] eq "words") {
        words_font = series[r] == -1 ? title_font : plain_font
        if (to_x[r] < 0) {
            set label words_of[r] at screen at_x[r],at_y[r] left rotate by to_y[r] font words_font textcolor rgb role(series[r]) front
        }
        if (to_x[r] == 0) {
            set label words_of[r] at screen at_x[r],at_y[r] center rotate by to_y[r] font words_font textcolor rgb role(series[r]) front
        }
        if (to_x[r] > 0) {
            set label words_of[r] at screen at_x[r],at_y[r] right rotate by to_y[r] font words_font textcolor rgb role(series[r]) front
        }
    }
}
