// Runs products through a fusion array, a step per clock without a pause.
//   +cases=FILE   per case: a_width w_width outputs words steps, then
//                 for each word of the weight buffers a hexadecimal word per unit, row by row, then
//                 for each step: address first last, and per row: a (hexadecimal) a_signed w_signed shift
// Prints for each case the clocks from the first step to the last output in its accumulator, and the outputs:
// one of each column, then the next of each.
module fusion_array_bench;
    parameter ROWS = 2, COLS = 3, HOPS = 1;
    localparam WORDS = 1024, OUTPUTS = 256;

    reg clk, reset, load, valid, first, last;
    reg [1:0] a_width, w_width;
    reg [15:0] load_unit, load_address, address;
    reg [31:0] load_word, word;
    reg [32*ROWS-1:0] a;
    reg [ROWS-1:0] a_signed, w_signed;
    reg [5*ROWS-1:0] shift;
    wire [48*COLS-1:0] out;
    wire [COLS-1:0] out_valid;
    fusion_array #(.ROWS(ROWS), .COLS(COLS), .HOPS(HOPS), .WORDS(WORDS)) array (
        clk, reset, a_width, w_width, load, load_unit, load_address, load_word, a, a_signed, w_signed, shift,
        address, valid, first, last, out, out_valid);

    reg signed [47:0] result [0:OUTPUTS*COLS-1];
    integer results [0:COLS-1];
    reg [8*1024-1:0] name;
    reg row_a_signed, row_w_signed;
    reg [4:0] row_shift;
    integer file, got, outputs, words, steps, clock, done, i, r, c;

    task tick;
        begin
            #1 clk = 1;
            #1 clk = 0;
        end
    endtask

    task load_weights;
        begin
            load = 1;
            for (i = 0; i < words; i = i + 1)
                for (r = 0; r < ROWS * COLS; r = r + 1) begin
                    got = $fscanf(file, "%h", load_word);
                    load_address = i;
                    load_unit = r;
                    tick;
                end
            load = 0;
        end
    endtask

    task read_step;
        begin
            got = $fscanf(file, "%d %d %d", address, first, last);
            for (r = 0; r < ROWS; r = r + 1) begin
                got = $fscanf(file, "%h %d %d %d", word, row_a_signed, row_w_signed, row_shift);
                a[32*r +: 32] = word;
                a_signed[r] = row_a_signed;
                w_signed[r] = row_w_signed;
                shift[5*r +: 5] = row_shift;
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
        load = 0; valid = 0; first = 0; last = 0; a = 0; a_signed = 0; w_signed = 0; shift = 0; address = 0;
        got = $fscanf(file, "%d %d %d %d %d", a_width, w_width, outputs, words, steps);
        while (got == 5) begin
            reset = 1;
            tick;
            reset = 0;
            load_weights;
            for (c = 0; c < COLS; c = c + 1)
                results[c] = 0;
            done = 0;
            for (clock = 0; clock < steps + ROWS + COLS; clock = clock + 1) begin
                valid = clock < steps;
                if (valid)
                    read_step;
                tick;
                for (c = 0; c < COLS; c = c + 1)
                    if (out_valid[c]) begin
                        if (results[c] < OUTPUTS)
                            result[results[c]*COLS+c] = out[48*c +: 48];
                        results[c] = results[c] + 1;
                        done = clock + 1;
                    end
            end
            $write("%0d:", done);
            for (i = 0; i < outputs; i = i + 1)
                for (c = 0; c < COLS; c = c + 1)
                    if (i < results[c])
                        $write(" %0d", result[i*COLS+c]);
                    else
                        $write(" missing");
            $write("\n");
            got = $fscanf(file, "%d %d %d %d %d", a_width, w_width, outputs, words, steps);
        end
        $finish;
    end
endmodule
