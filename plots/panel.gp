# Opens panel p of a chart: margins, axes, ticks, the boxes that belong to it; with the last panel the words. The
# script then plots once.
unset object
unset label
unset arrow
set xtics () nomirror
set ytics () nomirror
do for [r = 1:rows] {
    if (part[r] eq "panel" && panel[r] == p) {
        set lmargin at screen x[r]; set rmargin at screen x2[r]
        set bmargin at screen y[r]; set tmargin at screen y2[r]
    }
    if (part[r] eq "x_axis" && panel[r] == p) {
        if (words_of[r] eq "log") { set logscale x } else { unset logscale x }
        set xrange [x[r]:x2[r]] noextend
    }
    if (part[r] eq "y_axis" && panel[r] == p) {
        if (words_of[r] eq "log") { set logscale y } else { unset logscale y }
        set yrange [x[r]:x2[r]] noextend
    }
    if (part[r] eq "x_tick" && panel[r] == p) { set xtics add (words_of[r] x[r]) }
    if (part[r] eq "y_tick" && panel[r] == p) { set ytics add (words_of[r] x[r]) }
    # Of the sheet (panel 0) with the first panel, behind everything.
    if (part[r] eq "box" && (panel[r] == p || (p == 1 && panel[r] == 0))) {
        set object rectangle from screen x[r],y[r] to screen x2[r],y2[r] fillcolor rgb colour(series[r]) \
            fillstyle solid 1.0 border linecolor rgb background linewidth 0.5 behind
    }
    if (p == panels && part[r] eq "leader") {
        set arrow from screen x[r],y[r] to screen x2[r],y2[r] nohead linecolor rgb frame linewidth 0.6 front
    }
    if (p == panels && part[r] eq "mark") {
        set label "" at screen x[r],y[r] point pointtype marker(series[r]) pointsize size_of(5) \
            linecolor rgb colour(series[r]) front
    }
    if (p == panels && part[r] eq "words") {
        words_font = series[r] == -1 ? title_font : plain_font
        if (x2[r] < 0) {
            set label words_of[r] at screen x[r],y[r] left rotate by y2[r] font words_font textcolor rgb role(series[r]) front
        }
        if (x2[r] == 0) {
            set label words_of[r] at screen x[r],y[r] center rotate by y2[r] font words_font textcolor rgb role(series[r]) front
        }
        if (x2[r] > 0) {
            set label words_of[r] at screen x[r],y[r] right rotate by y2[r] font words_font textcolor rgb role(series[r]) front
        }
    }
}
