// Runs chains of folds through os_array and checks every output.
//   +cases=FILE   one case a line: id w_bits port_bits early folds T_0 .. T_(folds-1)
// Weights stream in with the inputs: a step enters when the last bit of its weights has come through the port.
// Each fold starts as soon as the steps of the fold before are through, and late enough that its sums are not
// held before those of the fold before have left the drain chain. Fold `early` (if not negative) starts one
// clock sooner. Prints `id clocks errors`, clocks until the last output has left the array.
module os_bench;
    parameter ROWS = 4, COLS = 4;
    localparam FOLDS = 256, CLOCKS = 16384;

    reg clk, reset;
    reg [8*ROWS-1:0] a;
    reg [8*COLS-1:0] w;
    reg valid, first, last_step;
    wire [32*COLS-1:0] out;
    wire [COLS-1:0] loading;
    os_array #(.ROWS(ROWS), .COLS(COLS)) array (clk, reset, a, w, valid, first, last_step, out, loading);

    `include "values.vh"

    integer steps [0:FOLDS-1], start [0:FOLDS-1], through [0:FOLDS-1];
    integer feeding [0:CLOCKS-1], feeding_step [0:CLOCKS-1]; // by clock; step -1: nothing enters
    integer next_fold [0:COLS-1], next_row [0:COLS-1], chain_left [0:COLS-1];
    integer file, got, id, w_bits, port_bits, early, folds, end_clock;
    integer clock, f, i, k, r, c, errors, last;
    reg [8*1024-1:0] name;
    reg signed [31:0] expected;

    // Clock of a fold, from its start, in which step i enters.
    function integer enters(input integer step);
        begin
            enters = step;
            if (port_bits && ((step + 1) * COLS * w_bits + port_bits - 1) / port_bits - 1 > step)
                enters = ((step + 1) * COLS * w_bits + port_bits - 1) / port_bits - 1;
        end
    endfunction

    task schedule;
        integer ends;
        begin
            ends = 0;
            for (f = 0; f < folds; f = f + 1) begin
                through[f] = enters(steps[f] - 1) + 1;
                start[f] = ends;
                if (f > 0 && start[f] + through[f] < ends + ROWS)
                    start[f] = ends + ROWS - through[f];
                if (f == early)
                    start[f] = start[f] - 1;
                ends = start[f] + through[f];
            end
            end_clock = ends + 2 * ROWS + COLS + 2;
            if (end_clock > CLOCKS) begin
                $display("case %0d is too long", id);
                $finish;
            end
            for (i = 0; i < end_clock; i = i + 1)
                feeding_step[i] = -1;
            // Of two that want the same wires, the later has them.
            for (f = 0; f < folds; f = f + 1) begin
                for (i = 0; i < through[f]; i = i + 1)
                    feeding_step[start[f]+i] = -1;
                for (i = 0; i < steps[f]; i = i + 1) begin
                    feeding[start[f]+enters(i)] = f;
                    feeding_step[start[f]+enters(i)] = i;
                end
            end
        end
    endtask

    task drive;
        begin
            a = 0;
            w = 0;
            valid = 0;
            first = 0;
            last_step = 0;
            i = feeding_step[clock];
            if (i >= 0) begin
                f = feeding[clock];
                for (r = 0; r < ROWS; r = r + 1)
                    a[8*r +: 8] = value(f, r, i, 1);
                for (c = 0; c < COLS; c = c + 1)
                    w[8*c +: 8] = value(f, i, c, 2);
                valid = 1;
                first = i == 0;
                last_step = i == steps[f] - 1;
            end
        end
    endtask

    // Looks just before the clock edge that takes the bottom of the chains away.
    task check;
        begin
            for (c = 0; c < COLS; c = c + 1) begin
                if (chain_left[c] > 0) begin
                    f = next_fold[c];
                    if (f >= folds)
                        errors = errors + 1;
                    else begin
                        expected = 0;
                        for (k = 0; k < steps[f]; k = k + 1)
                            expected = expected + value(f, next_row[c], k, 1) * value(f, k, c, 2);
                        if (out[32*c +: 32] !== expected)
                            errors = errors + 1;
                        last = clock + 1;
                        next_row[c] = next_row[c] - 1;
                        if (next_row[c] < 0) begin
                            next_row[c] = ROWS - 1;
                            next_fold[c] = f + 1;
                        end
                    end
                    chain_left[c] = chain_left[c] - 1;
                end
                if (loading[c]) begin
                    if (chain_left[c] > 0)
                        errors = errors + 1; // what is left in the chain is lost
                    chain_left[c] = ROWS;
                end
            end
        end
    endtask

    initial begin
        clk = 0;
        if (!$value$plusargs("cases=%s", name)) begin
            $display("no +cases=FILE");
            $finish;
        end
        file = $fopen(name, "r");
        got = $fscanf(file, "%d %d %d %d %d", id, w_bits, port_bits, early, folds);
        while (got == 5) begin
            for (i = 0; i < folds; i = i + 1)
                got = $fscanf(file, "%d", steps[i]);
            schedule;
            reset = 1;
            a = 0; w = 0; valid = 0; first = 0; last_step = 0;
            #1 clk = 1;
            #1 clk = 0;
            reset = 0;
            errors = 0;
            last = 0;
            for (c = 0; c < COLS; c = c + 1) begin
                next_fold[c] = 0;
                next_row[c] = ROWS - 1;
                chain_left[c] = 0;
            end
            for (clock = 0; clock < end_clock; clock = clock + 1) begin
                drive;
                #1 check;
                clk = 1;
                #1 clk = 0;
            end
            for (c = 0; c < COLS; c = c + 1)
                if (next_fold[c] != folds)
                    errors = errors + 1;
            $display("%0d %0d %0d", id, last, errors);
            got = $fscanf(file, "%d %d %d %d %d", id, w_bits, port_bits, early, folds);
        end
        $finish;
    end
endmodule
