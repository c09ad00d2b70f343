// Runs dot products through a bit-serial unit.
//   +cases=FILE   one case a line: w_bits a_bits w_signed a_signed blocks, then for each block the planes of w
//                 and those of a, lowest bit first, in hexadecimal
// Prints for each case the clocks it took and the sum.
module serial_dot_bench;
    parameter DEPTH = 64, W_STEP = 1, A_STEP = 1;
    localparam PLANES = 32, BLOCKS = 16; // of an operand: bits beyond its width are zero

    reg clk, reset, run;
    reg [4:0] w_bits, a_bits;
    reg w_signed, a_signed;
    reg [DEPTH*W_STEP-1:0] w_planes;
    reg [DEPTH*A_STEP-1:0] a_planes;
    wire [4:0] w_at, a_at;
    wire block_ends;
    wire signed [47:0] sum;
    serial_dot #(.DEPTH(DEPTH), .W_STEP(W_STEP), .A_STEP(A_STEP)) unit (
        clk, reset, run, w_bits, a_bits, w_signed, a_signed, w_planes, a_planes, w_at, a_at, block_ends, sum);

    reg [DEPTH-1:0] w [0:PLANES*BLOCKS-1];
    reg [DEPTH-1:0] a [0:PLANES*BLOCKS-1];
    reg [DEPTH-1:0] plane;
    reg [8*1024-1:0] name;
    integer file, got, blocks, block, clocks, i, p;

    initial begin
        clk = 0;
        run = 0;
        if (!$value$plusargs("cases=%s", name)) begin
            $display("no +cases=FILE");
            $finish;
        end
        file = $fopen(name, "r");
        got = $fscanf(file, "%d %d %d %d %d", w_bits, a_bits, w_signed, a_signed, blocks);
        while (got == 5) begin
            for (block = 0; block < blocks; block = block + 1) begin
                for (i = 0; i < PLANES; i = i + 1) begin
                    w[PLANES*block+i] = 0;
                    a[PLANES*block+i] = 0;
                end
                for (i = 0; i < w_bits; i = i + 1) begin
                    got = $fscanf(file, "%h", plane);
                    w[PLANES*block+i] = plane;
                end
                for (i = 0; i < a_bits; i = i + 1) begin
                    got = $fscanf(file, "%h", plane);
                    a[PLANES*block+i] = plane;
                end
            end
            reset = 1;
            #1 clk = 1;
            #1 clk = 0;
            reset = 0;
            run = 1;
            clocks = 0;
            block = 0;
            while (block < blocks && clocks < 4096 * blocks) begin
                for (p = 0; p < W_STEP; p = p + 1)
                    w_planes[DEPTH*p +: DEPTH] = w[PLANES*block+W_STEP*w_at+p];
                for (p = 0; p < A_STEP; p = p + 1)
                    a_planes[DEPTH*p +: DEPTH] = a[PLANES*block+A_STEP*a_at+p];
                #1 if (block_ends)
                    block = block + 1;
                clk = 1;
                #1 clk = 0;
                clocks = clocks + 1;
            end
            $display("%0d: %0d", clocks, sum);
            got = $fscanf(file, "%d %d %d %d %d", w_bits, a_bits, w_signed, a_signed, blocks);
        end
        $finish;
    end
endmodule
