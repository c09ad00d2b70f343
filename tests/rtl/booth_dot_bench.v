// Runs dot products through a weight-serial unit.
//   +cases=FILE   one case a line: w_bits w_signed digits blocks, then for each block in hexadecimal the
//                 activations of all lanes (17 bits each) and `digits` words of 2 bits of each lane's weight
// Prints for each case the clocks it took and the sum.
module booth_dot_bench;
    parameter DEPTH = 16;
    localparam DIGITS = 32, BLOCKS = 16;

    reg clk, reset, run, w_signed;
    reg [4:0] w_bits;
    wire [4:0] w_at;
    wire block_ends;
    wire signed [47:0] sum;
    reg [2*DEPTH-1:0] w [0:DIGITS*BLOCKS-1];
    reg [17*DEPTH-1:0] a [0:BLOCKS-1];
    reg [2*DEPTH-1:0] w_now;
    reg [17*DEPTH-1:0] a_now;
    booth_dot #(.DEPTH(DEPTH)) unit (clk, reset, run, w_bits, w_signed, w_now, a_now, w_at, block_ends, sum);

    reg [8*1024-1:0] name;
    integer file, got, digits, blocks, block, clocks, i;

    initial begin
        clk = 0;
        run = 0;
        if (!$value$plusargs("cases=%s", name)) begin
            $display("no +cases=FILE");
            $finish;
        end
        file = $fopen(name, "r");
        got = $fscanf(file, "%d %d %d %d", w_bits, w_signed, digits, blocks);
        while (got == 4) begin
            for (block = 0; block < blocks; block = block + 1) begin
                got = $fscanf(file, "%h", a_now);
                a[block] = a_now;
                for (i = 0; i < digits; i = i + 1) begin
                    got = $fscanf(file, "%h", w_now);
                    w[DIGITS*block+i] = w_now;
                end
            end
            reset = 1;
            #1 clk = 1;
            #1 clk = 0;
            reset = 0;
            run = 1;
            clocks = 0;
            block = 0;
            while (block < blocks && clocks < 64 * blocks) begin
                w_now = w[DIGITS*block+w_at];
                a_now = a[block];
                #1 if (block_ends)
                    block = block + 1;
                clk = 1;
                #1 clk = 0;
                clocks = clocks + 1;
            end
            $display("%0d: %0d", clocks, sum);
            got = $fscanf(file, "%d %d %d %d", w_bits, w_signed, digits, blocks);
        end
        $finish;
    end
endmodule
