# How far a calibration is off: one picture from the rows that `simacc calibrate --plot` writes as CSV.
#
#   gnuplot -c plots/calibration.gp ROWS.csv OUT.svg     (or OUT.png)
#
# Left: predicted against measured time, every row a point, coloured by kernel and implementation. Right: the error
# of each row over the rows m of the product, where libraries change kernels. Needs gnuplot 5.4 or newer.

if (ARGC < 2) {
    print "usage: gnuplot -c plots/calibration.gp ROWS.csv OUT.svg"
    exit status 2
}
csv = ARG1
picture = ARG2

set datafile separator comma
set datafile columnheaders
set decimalsign '.'

# ---- read -----------------------------------------------------------------------------------------
stats csv using (column("latency_us")) nooutput
if (!exists("STATS_records")) {
    print sprintf("%s: cannot be read, or holds no rows", csv)
    exit status 3
}
rows = STATS_records
least = STATS_min
most = STATS_max
stats csv using (column("predicted_us")) nooutput
if (STATS_min < least) { least = STATS_min }
if (STATS_max > most) { most = STATS_max }

# Kernel and implementation of each row, numbered in the order in which they come.
array series[rows]
names = ""
kinds = 0
array label[64]
array count[64]
array error_sum[64]
i = 0
calibration = ""; gpu = ""
known(s) = sum [q = 1:kinds] (label[q] eq s ? q : 0)
stats csv using (i = i + 1, \
    calibration = stringcolumn("calibration"), gpu = stringcolumn("gpu"), \
    s = stringcolumn("kernel") . (strlen(stringcolumn("impl")) > 0 ? " " . stringcolumn("impl") : "") . \
        (stringcolumn("regime") eq "sustained" ? " sustained" : ""), \
    at = kinds > 0 ? known(s) : 0, \
    at = at > 0 ? at : (kinds < 64 ? (kinds = kinds + 1, label[kinds] = s, count[kinds] = 0, error_sum[kinds] = 0.0, kinds) : 64), \
    series[i] = at, count[at] = count[at] + 1, error_sum[at] = error_sum[at] + abs(column("error_pct")), \
    0) nooutput
mean = 0.0
do for [q = 1:kinds] { mean = mean + error_sum[q] / rows }

# ---- picture --------------------------------------------------------------------------------------
colours = "#0072B2 #E69F00 #009E73 #D55E00 #CC79A7 #56B4E9 #999999 #000000"
colour(q) = word(colours, (q - 1) % 8 + 1)
key_rows = int((kinds + 2) / 3)
height = 560 + 22 * key_rows
if (strlen(picture) > 4 && picture[strlen(picture) - 3:*] eq ".svg") {
    set terminal svg noenhanced size 1200,height font "Helvetica,14" background "#ffffff"
} else {
    if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
        set terminal pngcairo noenhanced size 2400,2*height font "Sans,12" fontscale 1.75 linewidth 2 background "#ffffff"
    } else {
        set terminal png truecolor noenhanced size 1200,height
    }
}
set output picture
set border 3 linecolor "#888888"
set tics nomirror out scale 0.5 textcolor "#555555"
set grid linecolor "#dddddd" linetype 1
set bmargin at screen 64.0 / height
set tmargin at screen 1.0 - (96.0 + 22 * key_rows) / height
set multiplot

set label 1 sprintf("%s against %d measurements of %s", calibration, rows, gpu) \
    at screen 0.012, 1.0 - 28.0 / height font ",17" front
set label 2 sprintf("mean error %.1f%%; in the key: rows, mean error", mean) \
    at screen 0.012, 1.0 - 56.0 / height textcolor "#555555" front
set key at screen 0.012, 1.0 - 74.0 / height left top Left reverse maxrows key_rows samplen 1 width 1
set lmargin at screen 0.065
set rmargin at screen 0.48
set logscale xy
set format x "%g"
set format y "%g"
set xrange [least * 0.8 : most * 1.25]
set yrange [least * 0.8 : most * 1.25]
set xlabel "measured (us)" textcolor "#555555"
set ylabel "predicted (us)" textcolor "#555555"
plot x linecolor "#bbbbbb" notitle, x * 1.1 linecolor "#dddddd" dashtype 2 notitle, x / 1.1 linecolor "#dddddd" dashtype 2 notitle, \
    for [q = 1:kinds] csv using (column("latency_us")):(series[$0 + 1] == q ? column("predicted_us") : NaN) \
        with points pointtype (q > 8 ? 5 : 7) pointsize 0.3 linecolor rgb colour(q) notitle, \
    for [q = 1:kinds] NaN with points pointtype (q > 8 ? 5 : 7) pointsize 0.8 linecolor rgb colour(q) \
        title sprintf("%s: %d, %.1f%%", label[q], count[q], error_sum[q] / count[q])

unset label 1
unset label 2
unset key
unset logscale y
set lmargin at screen 0.555
set rmargin at screen 0.97
set format y "%g"
set xrange [0.8 : *]
set yrange [-60 : 60]
set xlabel "rows m" textcolor "#555555"
set ylabel "error (%), beyond 60 at the edge" textcolor "#555555"
edge(e) = e > 60 ? 60 : e < -60 ? -60 : e
plot 0 linecolor "#bbbbbb" notitle, \
    for [q = 1:kinds] csv using (column("m") > 0 ? column("m") : NaN):(series[$0 + 1] == q ? edge(column("error_pct")) : NaN) \
        with points pointtype (q > 8 ? 5 : 7) pointsize 0.3 linecolor rgb colour(q) notitle
unset multiplot
unset output
