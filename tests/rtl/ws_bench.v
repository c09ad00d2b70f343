// Runs chains of folds through ws_array and checks every output.
//   +cases=FILE   one case a line: id w_bits port_bits early folds T_0 .. T_(folds-1)
// Each fold starts as soon as its weights are loaded and the inputs of the fold before are through; its load
// begins when the fold before starts. Fold `early` (if not negative) starts one clock sooner. Prints
// `id clocks errors`, clocks until the last output has left the array.
module ws_bench;
    parameter ROWS = 4, COLS = 4;
    localparam FOLDS = 256, CLOCKS = 16384;

    reg clk, reset;
    reg [8*ROWS-1:0] x;
    reg x_valid, x_first;
    reg [8*COLS-1:0] w;
    reg [16*COLS-1:0] w_row;
    reg [COLS-1:0] w_valid;
    wire [32*COLS-1:0] sum;
    wire [COLS-1:0] sum_valid;
    ws_array #(.ROWS(ROWS), .COLS(COLS)) array (clk, reset, x, x_valid, x_first, w, w_row, w_valid, sum, sum_valid);

    `include "values.vh"

    integer steps [0:FOLDS-1], start [0:FOLDS-1], load [0:FOLDS-1];
    integer feeding [0:CLOCKS-1], loading [0:CLOCKS-1]; // fold by clock, -1: none
    integer next_fold [0:COLS-1], next_step [0:COLS-1];
    integer file, got, id, w_bits, port_bits, early, folds, port, load_clocks, end_clock;
    integer clock, f, i, r, c, errors, last;
    reg [8*1024-1:0] name;
    reg signed [31:0] expected;

    task schedule;
        begin
            port = port_bits ? port_bits : COLS * w_bits;
            load_clocks = (ROWS * COLS * w_bits + port - 1) / port;
            load[0] = 0;
            start[0] = load_clocks;
            for (f = 1; f < folds; f = f + 1) begin
                load[f] = start[f-1];
                start[f] = load[f] + load_clocks;
                if (start[f] < start[f-1] + steps[f-1])
                    start[f] = start[f-1] + steps[f-1];
                if (f == early)
                    start[f] = start[f] - 1;
            end
            end_clock = start[folds-1] + steps[folds-1] + ROWS + COLS + 2;
            if (end_clock + load_clocks > CLOCKS) begin
                $display("case %0d is too long", id);
                $finish;
            end
            for (i = 0; i < end_clock + load_clocks; i = i + 1) begin
                feeding[i] = -1;
                loading[i] = -1;
            end
            // Of two that want the same wires, the later has them.
            for (f = 0; f < folds; f = f + 1) begin
                for (i = 0; i < load_clocks; i = i + 1)
                    loading[load[f]+i] = f;
                for (i = 0; i < steps[f]; i = i + 1)
                    feeding[start[f]+i] = f;
            end
        end
    endtask

    // What enters in this clock: a step of inputs, and the weights whose last bit has come through the port.
    task drive;
        integer into, word, end_word;
        begin
            x = 0;
            x_valid = 0;
            x_first = 0;
            w = 0;
            w_row = 0;
            w_valid = 0;
            f = feeding[clock];
            if (f >= 0) begin
                for (r = 0; r < ROWS; r = r + 1)
                    x[8*r +: 8] = value(f, r, clock - start[f], 1);
                x_valid = 1;
                x_first = clock == start[f];
            end
            f = loading[clock];
            if (f >= 0) begin
                into = clock - load[f];
                end_word = (into + 1) * port / w_bits;
                for (word = into * port / w_bits; word < end_word && word < ROWS * COLS; word = word + 1) begin
                    c = word % COLS;
                    w[8*c +: 8] = value(f, word / COLS, c, 2);
                    w_row[16*c +: 16] = word / COLS;
                    w_valid[c] = 1;
                end
            end
        end
    endtask

    task check;
        begin
            for (c = 0; c < COLS; c = c + 1)
                if (sum_valid[c]) begin
                    f = next_fold[c];
                    if (f >= folds)
                        errors = errors + 1;
                    else begin
                        expected = 0;
                        for (r = 0; r < ROWS; r = r + 1)
                            expected = expected + value(f, r, next_step[c], 1) * value(f, r, c, 2);
                        if (sum[32*c +: 32] !== expected)
                            errors = errors + 1;
                        last = clock + 1;
                        next_step[c] = next_step[c] + 1;
                        if (next_step[c] == steps[f]) begin
                            next_step[c] = 0;
                            next_fold[c] = f + 1;
                        end
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
            x = 0; x_valid = 0; x_first = 0; w = 0; w_row = 0; w_valid = 0;
            #1 clk = 1;
            #1 clk = 0;
            reset = 0;
            errors = 0;
            last = 0;
            for (c = 0; c < COLS; c = c + 1) begin
                next_fold[c] = 0;
                next_step[c] = 0;
            end
            for (clock = 0; clock < end_clock; clock = clock + 1) begin
                drive;
                #1 clk = 1;
                #1 check;
                clk = 0;
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
