#!/bin/sh
# Fusion units, a fusion array, bit-serial and Booth units in Verilog against the functional models, under
# Icarus Verilog; and the same hardware with one mistake at a time, which must not pass.
#   run_bits.sh SOURCE_DIR BUILD_DIR
set -eu
here=$1/tests/rtl
writer=$2/tests/rtl_bits_cases

for tool in iverilog vvp; do
    command -v $tool >/dev/null 2>&1 || {
        echo "skipped: no $tool (Icarus Verilog); ./run test installs it"
        exit 77
    }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$writer" "$work"
status=0

# The bench of hardware NAME and its parameters: sets `top` and `options`.
bench_of() {
    parameters=${1#*_}
    case $1 in
    unit*) top=fusion_unit_bench options= ;;
    array_*)
        size=${parameters%_*}
        top=fusion_array_bench
        options="ROWS=${size%x*} COLS=${size#*x} HOPS=${parameters#*_}"
        ;;
    serial_*)
        steps=${parameters#*_}
        top=serial_dot_bench
        options="DEPTH=${parameters%%_*} W_STEP=${steps%_*} A_STEP=${steps#*_}"
        ;;
    booth_*) top=booth_dot_bench options="DEPTH=$parameters" ;;
    esac
}

# simulate NAME FOLDER: the Verilog of FOLDER on the cases of NAME, its answers in FOLDER/NAME.out
simulate() {
    bench_of "$1"
    # shellcheck disable=SC2086 # parameters without blanks
    set -- "$1" "$2" $options
    name=$1 folder=$2
    shift 2
    for option; do
        shift
        set -- "$@" "-P$top.$option"
    done
    case $top in
    fusion_array_bench) set -- "$@" "$folder/fusion_array.v" "$folder/fusion_unit.v" "$folder/delay.v" ;;
    *) set -- "$@" "$folder/${top%_bench}.v" ;;
    esac
    iverilog -g2005 -Wall -s "$top" -o "$work/$name.vvp" "$@" "$here/$top.v"
    vvp "$work/$name.vvp" "+cases=$work/$name.cases" >"$folder/$name.out"
}

mkdir "$work/right"
cp "$here"/*.v "$work/right"
answers=0
for file in "$work"/*.cases; do
    name=$(basename "$file" .cases)
    simulate "$name" "$work/right"
    answers=$((answers + $(wc -l <"$work/$name.expected")))
    if ! cmp -s "$work/$name.expected" "$work/right/$name.out"; then
        echo "$name: clocks and sums expected (<) and answered (>) differ:"
        diff "$work/$name.expected" "$work/right/$name.out" | head -n 8 || true
        status=1
    fi
done

# mistake NAME FILE SED: with this change to FILE the hardware must still answer every case of NAME, and
# some of them wrongly.
mistakes=0
mistake() {
    mistakes=$((mistakes + 1))
    folder=$work/mistake$mistakes
    mkdir "$folder"
    cp "$here"/*.v "$folder"
    sed "$3" "$here/$2" >"$folder/$2"
    if cmp -s "$here/$2" "$folder/$2"; then
        echo "'$3' changes nothing in $2"
        status=1
        return
    fi
    simulate "$1" "$folder"
    if [ "$(wc -l <"$work/$1.expected")" -ne "$(wc -l <"$folder/$1.out")" ]; then
        echo "'$3' in $2: not every case of $1 was answered"
        status=1
    elif cmp -s "$work/$1.expected" "$folder/$1.out"; then
        echo "'$3' in $2: nobody noticed"
        status=1
    fi
}

unit() { mistake unit_quick fusion_unit.v "$1"; }
unit 's/{x_signed & x\[1\], x}/{1'\''b0, x}/'                       # a brick that knows no sign
unit 's/{y_signed & y\[1\], y}/{y[1], y}/'                          # or sees one everywhere
unit 's/a_signed && is_top(i, a_width)/a_signed/'                   # every digit of a signed operand signed
unit 's/w_signed && is_top(j, w_width)/w_signed \&\& j == 3/'       # only the topmost of eight bits
unit 's/wire \[1:0\] a_shift = a_width == 0 ? 0 : 2/wire [1:0] a_shift = 2/'
unit 's/wire \[3:0\] w_shift = w_width == 2 ? 4 : 0/wire [3:0] w_shift = 4/'
unit 's/wire \[2:0\] place = a_shift + w_shift/wire [1:0] place = a_shift + w_shift/' # a carry is lost
unit 's/<< (2 - w_width)) + which/<< (2 - a_width)) + which/'       # operands at each other's places

array() { mistake array_2x3_1 fusion_array.v "$1"; }
array 's/STAGES(r)/STAGES(0)/'                                      # rows not skewed
array 's/r == ROWS - 1 \&\& !unit_first/r == ROWS - 1/'             # an output that is never begun anew
array 's/STAGES(HOPS)/STAGES(0)/'                                   # right sums, fewer clocks than said
array 's/(placed <<< unit_shift)/placed/'                           # slices of 16 bits not put in place
array 's/a_signed\[r\], w_signed\[r\]/a_signed[r], a_signed[r]/'
array 's/+ sum_at\[r\*COLS+c\]/+ sum_at[c]/'                        # rows above the last one lost

serial() { mistake serial_8_1_1 serial_dot.v "$1"; }
serial 's/w_minus = w_signed \&\&.*;/w_minus = 0;/'                 # the top plane of w not negative
serial 's/a_minus = a_signed \&\& a_bit == a_bits - 1/a_minus = a_signed \&\& a_bit == a_bits/'
serial 's/w_minus != a_minus/(w_minus || a_minus)/'                 # both top planes: minus times minus
serial 's/<< (w_bit + a_bit)/<< w_bit/'
serial 's/lane < DEPTH/lane < DEPTH - 1/'
serial 's/\[DEPTH\*p +: DEPTH\] \&/[DEPTH*p +: DEPTH] |/'
serial 's/last_a = .*;/last_a = a_at >= a_bits;/'                   # right sums, a clock more per plane
mistake serial_33_1_2 serial_dot.v 's/q < A_STEP/q < 1/'
mistake serial_20_2_3 serial_dot.v 's/w_bit == w_bits - 1/p == W_STEP - 1/'

booth() { mistake booth_16 booth_dot.v "$1"; }
booth 's/below & !first/below/'                                     # a bit of the weight before
booth 's/{w, below & !first}/{w, 1'\''b0}/'
booth 's/-2 \* a/-a/'
booth 's/w_bits + !w_signed + 1/w_bits + 1/'                        # no further digit for unsigned weights
booth 's/2 \* w_at/w_at/'

[ $status -ne 0 ] || echo "$answers answers of Verilog equal to the models in clocks and sums; $mistakes mistakes noticed"
exit $status
