# Where the time and the energy of a run go: one picture from the CSV of `simacc run --csv`.
#
#   gnuplot -c plots/breakdown.gp FILE.csv OUT.png     (or OUT.svg)
#   gnuplot -e "input='FILE.csv'; output='OUT.png'" plots/breakdown.gp
#
# Left: time by kind of layer, coloured by what bounds it. Right: energy of the same layers by component.
# Everything shown, titles included, comes from the file; layers.<i>. in front of a name is left out and equal
# kinds are added up. Kinds below 0.5% of both time and energy are shown as one. Needs gnuplot 5.4 or newer.

if (exists("input") && exists("output")) {
    csv = input
    picture = output
} else {
    if (ARGC < 2) {
        print "usage: gnuplot -c plots/breakdown.gp FILE.csv OUT.png"
        exit status 2
    }
    csv = ARG1
    picture = ARG2
}

set datafile separator comma
set datafile columnheaders
set decimalsign '.'

# ---- read -----------------------------------------------------------------------------------------
bounds = "memory compute port launch vector"
bound_colours = "#E69F00 #0072B2 #D55E00 #999999 #CC79A7"
parts = "mac register sram dram vector static"
part_names = "MAC registers SRAM DRAM vector static"
part_colours = "#0072B2 #56B4E9 #009E73 #E69F00 #CC79A7 #999999"

stats csv using (column("latency_s")) nooutput
if (!exists("STATS_records")) {
    print sprintf("%s: cannot be read, or holds no layers", csv)
    exit status 3
}
rows = STATS_records
array name[rows]
array op[rows]
array bound[rows]
array seconds[rows]
array joules[rows * 6]

# "layers.0-31.q_proj" -> "q_proj"
dot(s) = strstrt(s, ".")
kind_of(s) = s[1:7] eq "layers." ? (rest = s[8:*], dot(rest) > 0 ? rest[dot(rest) + 1:*] : s) : s
i = 0
arch = ""; workload = ""; policy = ""
energy(p) = column("repeat") * column("energy_breakdown_j_" . word(parts, p))
stats csv using (i = i + 1, \
    name[i] = stringcolumn("name"), op[i] = stringcolumn("op"), bound[i] = stringcolumn("bound"), \
    seconds[i] = column("repeat") * column("latency_s"), \
    joules[6*i-5] = energy(1), joules[6*i-4] = energy(2), joules[6*i-3] = energy(3), \
    joules[6*i-2] = energy(4), joules[6*i-1] = energy(5), joules[6*i] = energy(6), \
    arch = stringcolumn("arch"), workload = stringcolumn("workload"), policy = stringcolumn("policy"), \
    0) nooutput

# Names once more, from whole lines: in a CSV, gnuplot ends a quoted name ("layers.0,2-31.q_proj") at its comma.
set datafile nocolumnheaders
set datafile separator "\t"
i = 0
starts(line, head) = line[1:strlen(head)] eq head
stats csv skip 1 using (i = i + 1, line = stringcolumn(1), \
    name[i] = kind_of(starts(line, name[i] . "," . op[i] . ",") ? name[i] : line), 0) nooutput
set datafile separator comma

# ---- add up by kind -------------------------------------------------------------------------------
array kind[rows]
array kind_s[rows]
array kind_j[rows]
kinds = 0
total_s = 0.0
total_j = 0.0
array kind_row[rows]
do for [r = 1:rows] {
    at = 0
    do for [q = 1:kinds] { if (kind[q] eq name[r]) { at = q } }
    if (at == 0) { kinds = kinds + 1; at = kinds; kind[at] = name[r]; kind_s[at] = 0.0; kind_j[at] = 0.0 }
    kind_row[r] = at
    kind_s[at] = kind_s[at] + seconds[r]
    total_s = total_s + seconds[r]
    do for [p = 1:6] { kind_j[at] = kind_j[at] + joules[6*(r-1)+p]; total_j = total_j + joules[6*(r-1)+p] }
}
if (total_s <= 0) { total_s = 1e-30 }
if (total_j <= 0) { total_j = 1e-30 }

# Bars from the longest time to the shortest; what is too small to see becomes the last bar.
array bar_of[kinds]
bars = 0
most = 18
do for [q = 1:kinds] { bar_of[q] = 0 }
do for [turn = 1:kinds] {
    best = 0
    do for [q = 1:kinds] {
        if (bar_of[q] == 0 && (kind_s[q] >= 0.005 * total_s || kind_j[q] >= 0.005 * total_j)) {
            if (best == 0) { best = q } else { if (kind_s[q] > kind_s[best]) { best = q } }
        }
    }
    if (best > 0 && bars < most) { bars = bars + 1; bar_of[best] = bars }
}
others = kinds - bars
if (others > 0) {
    bars = bars + 1
    do for [q = 1:kinds] { if (bar_of[q] == 0) { bar_of[q] = bars } }
}
array label_of[bars]
array bar_s[bars]
array bar_j[bars]
do for [b = 1:bars] { bar_s[b] = 0.0; bar_j[b] = 0.0 }
do for [q = 1:kinds] {
    b = bar_of[q]
    label_of[b] = others > 0 && b == bars && others > 1 ? sprintf("%d others", others) : kind[q]
    bar_s[b] = bar_s[b] + kind_s[q]
    bar_j[b] = bar_j[b] + kind_j[q]
}

# ---- units ----------------------------------------------------------------------------------------
power(x) = x >= 1 ? 0 : x >= 1e-3 ? 1 : x >= 1e-6 ? 2 : x >= 1e-9 ? 3 : 4
prefix(p) = word("- m u n p", p + 1)
unit(p, u) = p == 0 ? u : prefix(p) . u
scaled(x, u) = sprintf("%.3g %s", x * 1000.0 ** power(x), unit(power(x), u))
widest_s = 0.0; widest_j = 0.0
do for [b = 1:bars] {
    if (bar_s[b] > widest_s) { widest_s = bar_s[b] }
    if (bar_j[b] > widest_j) { widest_j = bar_j[b] }
}
scale_s = 1000.0 ** power(widest_s)
scale_j = 1000.0 ** power(widest_j)

# ---- stacks: each block holds one bound or component, as "bar from to", the last the ends ---------
array base[bars]
array sum_bound[5]
array sum_part[6]
set print $time
do for [b = 1:bars] { base[b] = 0.0 }
do for [c = 1:5] {
    sum_bound[c] = 0.0
    do for [b = 1:bars] {
        s = 0.0
        do for [r = 1:rows] { if (bar_of[kind_row[r]] == b && bound[r] eq word(bounds, c)) { s = s + seconds[r] } }
        if (s > 0) { print sprintf("%d,%.9g,%.9g", b, base[b] * scale_s, (base[b] + s) * scale_s) } else { print sprintf("%d,NaN,NaN", b) }
        base[b] = base[b] + s
        sum_bound[c] = sum_bound[c] + s
    }
    print ""; print ""
}
do for [b = 1:bars] { print sprintf("%d,0,%.9g", b, base[b] * scale_s) }
set print $energy
do for [b = 1:bars] { base[b] = 0.0 }
do for [p = 1:6] {
    sum_part[p] = 0.0
    do for [b = 1:bars] {
        s = 0.0
        do for [r = 1:rows] { if (bar_of[kind_row[r]] == b) { s = s + joules[6*(r-1)+p] } }
        if (s > 0) { print sprintf("%d,%.9g,%.9g", b, base[b] * scale_j, (base[b] + s) * scale_j) } else { print sprintf("%d,NaN,NaN", b) }
        base[b] = base[b] + s
        sum_part[p] = sum_part[p] + s
    }
    print ""; print ""
}
do for [b = 1:bars] { print sprintf("%d,0,%.9g", b, base[b] * scale_j) }
set print
percent(x) = x > 0 && x < 0.0005 ? "<0.1%" : sprintf("%.1f%%", 100.0 * x)
shown_bounds = ""
do for [c = 1:5] { if (sum_bound[c] > 0) { shown_bounds = shown_bounds . sprintf(" %d", c) } }
shown_parts = ""
do for [p = 1:6] { if (sum_part[p] > 0) { shown_parts = shown_parts . sprintf(" %d", p) } }

# ---- picture --------------------------------------------------------------------------------------
# A scale of 2 for pixels, so that the picture stays sharp on dense screens.
height = 200 + 30 * bars
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

set datafile nocolumnheaders
top = 1.0 - 138.0 / height
key_y = 1.0 - 84.0 / height
bottom = 62.0 / height
longest = 1
do for [b = 1:bars] {
    if (strlen(label_of[b]) > 24) { label_of[b] = label_of[b][1:23] . "~" }
    if (strlen(label_of[b]) > longest) { longest = strlen(label_of[b]) }
}
left_1 = (40.0 + 8.6 * longest) / 1200 # pixels of a 1200 wide picture
panel = (0.985 - left_1 - 0.035) / 2
left_2 = left_1 + panel + 0.035
set style fill solid 1.0 noborder
set border 1 linecolor "#888888"
set xtics nomirror out scale 0.5 textcolor "#555555"
set grid xtics linecolor "#dddddd" linetype 1
set yrange [bars + 0.5 : 0.5] # the first bar on top
set tmargin at screen top
set bmargin at screen bottom
set key top left Left reverse vertical maxrows 2 samplen 1 width 1 spacing 1.1
set multiplot

set label 1 sprintf("%s on %s, %s", workload, arch, policy) at screen 0.012, 1.0 - 28.0 / height font ",17" front
set label 2 sprintf("%s and %s per run: where the time and the energy go", scaled(total_s, "s"), scaled(total_j, "J")) \
    at screen 0.012, 1.0 - 58.0 / height textcolor "#555555" front
set ytics nomirror scale 0 ("" 1) textcolor "#222222"
do for [b = 1:bars] { set ytics add (label_of[b] b) }

set key at screen left_1, key_y
set lmargin at screen left_1
set rmargin at screen left_1 + panel
set xrange [0 : widest_s * scale_s * 1.15]
set xlabel sprintf("time (%s), by what bounds it", unit(power(widest_s), "s")) textcolor "#555555"
plot for [w = 1:words(shown_bounds)] c = int(word(shown_bounds, w)) $time index c - 1 \
         using (($2 + $3) / 2):1:2:3:($1 - 0.36):($1 + 0.36) with boxxyerror \
         linecolor rgb word(bound_colours, c) \
         title sprintf("%s %s", word(bounds, c), percent(sum_bound[c] / total_s)), \
     $time index 5 using 3:1:(" " . percent(bar_s[$1] / total_s)) with labels left textcolor "#333333" notitle

unset label 1
unset label 2
set ytics add ("" 1)
set format y ""
do for [b = 1:bars] { set ytics add ("" b) }
set key right at screen 0.99, key_y
set lmargin at screen left_2
set rmargin at screen left_2 + panel
set xrange [0 : widest_j * scale_j * 1.15]
set xlabel sprintf("energy (%s), by component", unit(power(widest_j), "J")) textcolor "#555555"
plot for [w = 1:words(shown_parts)] p = int(word(shown_parts, w)) $energy index p - 1 \
         using (($2 + $3) / 2):1:2:3:($1 - 0.36):($1 + 0.36) with boxxyerror \
         linecolor rgb word(part_colours, p) \
         title sprintf("%s %s", word(part_names, p), percent(sum_part[p] / total_j)), \
     $energy index 6 using 3:1:(" " . percent(bar_j[$1] / total_j)) with labels left textcolor "#333333" notitle
unset multiplot
unset output
