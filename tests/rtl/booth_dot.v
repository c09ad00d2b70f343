// Weight-serial dot product over DEPTH lanes: whole activations, two bits of each weight per clock.
//
// The two bits and the one before them are a radix-4 Booth digit of -2 to 2, which selects a multiple of the
// activation (as in Y. Chen et al., "BitMoD", HPCA 2025). A digit is signed by nature: a signed weight of b
// bits takes ceil(b / 2) of them, and an unsigned one as many as a signed one of b + 1 bits.
module booth_lane (
    input clk,
    input first,
    input run,
    input [1:0] w,
    input signed [16:0] a,
    output reg signed [18:0] product
);
    reg below;
    wire [2:0] window = {w, below & !first};

    always @*
        case (window)
            3'b001, 3'b010: product = a;
            3'b011: product = 2 * a;
            3'b100: product = -2 * a;
            3'b101, 3'b110: product = -a;
            default: product = 0;
        endcase

    always @(posedge clk)
        if (run)
            below <= w[1];
endmodule

module booth_dot #(parameter DEPTH = 16) (
    input clk,
    input reset,
    input run,
    input [4:0] w_bits,
    input w_signed,
    input [2*DEPTH-1:0] w,    // of digit w_at, bits above the weight's own are its sign or zero
    input [17*DEPTH-1:0] a,
    output reg [4:0] w_at,
    output block_ends,
    output reg signed [47:0] sum
);
    wire [4:0] digits = (w_bits + !w_signed + 1) >> 1;
    assign block_ends = w_at + 1 == digits;

    wire signed [18:0] product [0:DEPTH-1];
    genvar lane;
    generate
        for (lane = 0; lane < DEPTH; lane = lane + 1) begin : lane_of
            booth_lane booth (clk, w_at == 0, run, w[2*lane +: 2], a[17*lane +: 17], product[lane]);
        end
    endgenerate

    reg signed [47:0] added;
    integer i;
    always @(posedge clk)
        if (reset) begin
            w_at <= 0;
            sum <= 0;
        end else if (run) begin
            added = 0;
            for (i = 0; i < DEPTH; i = i + 1)
                added = added + product[i];
            sum <= sum + (added <<< (2 * w_at));
            w_at <= block_ends ? 0 : w_at + 1;
        end
endmodule
