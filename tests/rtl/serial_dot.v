// Bit-serial dot product over DEPTH lanes: planes of bits of w and of a, W_STEP and A_STEP of them per clock.
//
// Two planes are ANDed, counted over the lanes, shifted by the weight of their bits and added; the top plane
// of a signed operand weighs negatively. One bit of each per clock is BISMO's unit (Y. Umuroglu et al., FPL
// 2018), all bits of w and one of a are an activation-serial one, groups of bits of a are Loom's.
// It says which planes it wants (those of step w_at and a_at) and when a block of lanes is through.
module serial_dot #(parameter DEPTH = 64, W_STEP = 1, A_STEP = 1) (
    input clk,
    input reset,
    input run,
    input [4:0] w_bits,
    input [4:0] a_bits,
    input w_signed,
    input a_signed,
    input [DEPTH*W_STEP-1:0] w_planes,
    input [DEPTH*A_STEP-1:0] a_planes,
    output reg [4:0] w_at,
    output reg [4:0] a_at,
    output block_ends,
    output reg signed [47:0] sum
);
    wire last_w = (w_at + 1) * W_STEP >= w_bits;
    wire last_a = (a_at + 1) * A_STEP >= a_bits;
    assign block_ends = last_w && last_a;

    // What this clock's planes add to the sum.
    function signed [47:0] step_sum(input [DEPTH*W_STEP-1:0] w, input [DEPTH*A_STEP-1:0] a);
        reg [DEPTH-1:0] both;
        reg signed [47:0] placed;
        reg w_minus, a_minus;
        integer p, q, lane, count, w_bit, a_bit;
        begin
            step_sum = 0;
            for (p = 0; p < W_STEP; p = p + 1)
                for (q = 0; q < A_STEP; q = q + 1) begin
                    w_bit = w_at * W_STEP + p;
                    a_bit = a_at * A_STEP + q;
                    both = w[DEPTH*p +: DEPTH] & a[DEPTH*q +: DEPTH];
                    count = 0;
                    for (lane = 0; lane < DEPTH; lane = lane + 1)
                        if (both[lane])
                            count = count + 1;
                    placed = count;
                    placed = placed << (w_bit + a_bit);
                    w_minus = w_signed && w_bit == w_bits - 1;
                    a_minus = a_signed && a_bit == a_bits - 1;
                    step_sum = w_minus != a_minus ? step_sum - placed : step_sum + placed;
                end
        end
    endfunction

    always @(posedge clk)
        if (reset) begin
            w_at <= 0;
            a_at <= 0;
            sum <= 0;
        end else if (run) begin
            sum <= sum + step_sum(w_planes, a_planes);
            a_at <= last_a ? 0 : a_at + 1;
            if (last_a)
                w_at <= last_w ? 0 : w_at + 1;
        end
endmodule
