# The one style of all charts, and how their CSV is read. Each script of this folder is called as
#
#   gnuplot -d -c plots/KIND.gp CHART.csv OUT svg|png|pdf|text light|dark|ansi
#
# with the CSV that sim/output/chart_canvas.h describes, and loads this file after setting csv, picture, format and
# theme. Colours are those of Okabe and Ito, ordered so that neighbours also differ in lightness; each series has a
# marker and a dash of its own, so that nothing is lost in grey. Needs gnuplot 5.4 or newer.

set encoding utf8
set decimalsign '.'
set datafile separator comma
set datafile columnheaders
set datafile missing ""

# ---- colours ----------------------------------------------------------------------------------------------
dark = theme eq "dark"
text = format eq "text"
background = dark ? "#15181d" : "#ffffff"
ink = dark ? "#e8e8e8" : "#1a1a1a"
muted = dark ? "#a8adb4" : "#555555"
frame = dark ? "#6a7078" : "#888888"
faint = dark ? "#2e333a" : "#e4e4e4"
series_colours = dark ? "#4aa3df #f0b429 #35b58a #e8703a #e39ac4 #6f767e #8fd3f4 #f0e442" \
                      : "#0062a3 #e69f00 #00805c #d55e00 #b5659a #c0c0c0 #56b4e9 #2b2b2b"
markers = "7 5 9 13 6 4 8 12"
dashes = "1 2 4 3 5 6 7 8"
of(list, k) = word(list, (k - 1) % words(list) + 1)
colour(k) = of(series_colours, k)
marker(k) = int(of(markers, k))
# Words: roles from -5 to 0 are these, positive ones series.
role(k) = k > 0 ? (theme eq "ansi" || !text ? colour(k) : ink) : k == 0 ? muted : k == -3 ? "#ffffff" : k == -4 ? "#1a1a1a" : ink

# ---- read -------------------------------------------------------------------------------------------------
stats csv using (column("panel")) nooutput
rows = int(STATS_records)
array part[rows]; array panel[rows]; array series[rows]; array words_of[rows]
array at_x[rows]; array at_y[rows]; array to_x[rows]; array to_y[rows]
# Comma, quote, percent and backslash come encoded; so do control characters, which become "?".
decoded(s) = (at_ = strstrt(s, "%")) == 0 ? s : \
    s[1:at_ - 1] . (s[at_ + 1:at_ + 2] eq "2C" ? "," : s[at_ + 1:at_ + 2] eq "22" ? "\"" : s[at_ + 1:at_ + 2] eq "25" ? "%" : \
        s[at_ + 1:at_ + 2] eq "5C" ? "\\" : "?") . \
    decoded(s[at_ + 3:*])
i = 0
stats csv using (i = i + 1, part[i] = stringcolumn("part"), panel[i] = int(column("panel")), \
    series[i] = int(column("series")), words_of[i] = decoded(stringcolumn("text")), \
    at_x[i] = column("x"), at_y[i] = column("y"), to_x[i] = column("x2"), to_y[i] = column("y2"), 0) nooutput

panels = 0
width = 800; height = 400; unit_px = 1.0
do for [r = 1:rows] {
    if (part[r] eq "size") { width = at_x[r]; height = at_y[r]; unit_px = to_x[r] }
    if (part[r] eq "panel") { panels = panels + 1 }
}

# ---- the sheet --------------------------------------------------------------------------------------------
font_px = 12.0 * unit_px
line = unit_px
if (format eq "svg") {
    set terminal svg noenhanced size width,height font sprintf("Helvetica,%.4g", font_px) background background linewidth unit_px
    title_font = sprintf("Helvetica Bold,%.4g", font_px * 1.3); plain_font = sprintf("Helvetica,%.4g", font_px)
}
if (format eq "png") {
    # Points of a font are 1/72 inch, pixels here 1/96.
    set terminal pngcairo noenhanced size width,height font sprintf("Sans,%.4g", font_px * 0.75) background background linewidth unit_px
}
if (format eq "pdf") {
    # Inches: 96 pixels each. Half is the scale of fonts by default, and three quarters make them those of the others.
    set terminal pdfcairo noenhanced size width / 96.0, height / 96.0 font sprintf("Sans,%.4g", font_px * 0.75) fontscale 0.75 background background linewidth unit_px
}
if (format eq "png" || format eq "pdf") {
    title_font = sprintf("Sans Bold,%.4g", font_px * 0.75 * 1.3); plain_font = sprintf("Sans,%.4g", font_px * 0.75)
}
if (text) {
    if (theme eq "ansi") {
        set terminal dumb ansi256 size width,height noenhanced
    } else {
        set terminal dumb mono size width,height noenhanced
    }
    title_font = ""; plain_font = ""
}
# What a point of size 1 measures: units of the layout per radius.
point_units = format eq "svg" ? 4.5 : format eq "pdf" ? 4.1 / unit_px : 3.0 / unit_px
set output picture

set border 3 linecolor rgb frame
if (text) { set tics nomirror in scale 0 } else { set tics nomirror out scale 0.4 }
set tics textcolor rgb muted
set style fill solid 1.0 noborder
set clip two
unset key
set multiplot

# ---- what scripts ask -------------------------------------------------------------------------------------
# How many things of a kind and style a panel has.
count_of(what, p, s) = rows < 1 ? 0 : sum [r = 1:rows] (part[r] eq what && panel[r] == p && series[r] == s)
# Styles present in a panel, "1 3 "; "9", which nothing has, for none.
do for [s = 0:9] { eval sprintf("styles_%d(what, p) = count_of(what, p, %d) > 0 ? \"%d \" : \"\"", s, s, s) }
all_styles(what, p) = styles_0(what, p) . styles_1(what, p) . styles_2(what, p) . styles_3(what, p) . styles_4(what, p) . \
    styles_5(what, p) . styles_6(what, p) . styles_7(what, p) . styles_8(what, p)
styles_of(what, p) = strlen(all_styles(what, p)) > 0 ? all_styles(what, p) : "9"
# x of the rows of one kind, panel and series, nothing in other rows. The first row of the file lies far outside
# of every panel: gnuplot warns of a plot that has no row at all.
is_of(what, p, s) = stringcolumn("part") eq what && column("panel") == p && column("series") == s
of_x(what, p, s) = is_of(what, p, s) ? column("x") : stringcolumn("part") eq "size" ? 1e100 : NaN
marker_scale(k) = marker(k) == 7 || marker(k) == 6 ? 1.0 : marker(k) == 5 || marker(k) == 4 ? 0.87 : 0.8
size_of(radius, k) = radius / point_units * marker_scale(k)
