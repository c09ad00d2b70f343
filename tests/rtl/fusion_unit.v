// Fusion unit of native width 8: sixteen bricks that multiply digits of 2 bits, and shifts that put them together.
//
// Operands are 2, 4 or 8 bits wide (width 0, 1, 2), signed or not, and lie side by side on the two buses from
// the lowest bit on: 8 x 8 bits are one product per clock, 2 x 2 bits are sixteen, and all products are added
// up. Brick (I, J) takes digit I of an operand of four digits; of narrower operands the high bits of I tell
// which of several it belongs to, so that bricks side by side in the adders always share a shift.
// Structure after H. Sharma et al., "Bit Fusion", ISCA 2018.
module brick (
    input [1:0] x,
    input [1:0] y,
    input x_signed,
    input y_signed,
    output signed [5:0] product
);
    wire signed [2:0] x_digit = {x_signed & x[1], x};
    wire signed [2:0] y_digit = {y_signed & y[1], y};
    assign product = x_digit * y_digit;
endmodule

module fusion_unit (
    input [31:0] a,
    input [31:0] w,
    input [1:0] a_width,
    input [1:0] w_width,
    input a_signed,
    input w_signed,
    output signed [19:0] sum
);
    // Of a unit's digit I (0 to 3): which digit of its operand it is, and of which operand.
    function [1:0] digit(input [1:0] i, input [1:0] width);
        digit = width == 2 ? i : width == 1 ? {1'b0, i[0]} : 2'd0;
    endfunction
    function [1:0] which(input [1:0] i, input [1:0] width);
        which = width == 2 ? 2'd0 : width == 1 ? {1'b0, i[1]} : i;
    endfunction
    function is_top(input [1:0] i, input [1:0] width);
        is_top = digit(i, width) == (1 << width) - 1;
    endfunction

    wire signed [5:0] product [0:15];  // 4 * I + J
    wire signed [11:0] quad [0:3];     // of four bricks: up to 4 x 4 bits

    genvar i, j;
    generate
        for (i = 0; i < 4; i = i + 1) begin : a_digit
            for (j = 0; j < 4; j = j + 1) begin : w_digit
                wire [3:0] pair = (which(i, a_width) << (2 - w_width)) + which(j, w_width);
                wire [3:0] a_at = (pair << a_width) + digit(i, a_width);
                wire [3:0] w_at = (pair << w_width) + digit(j, w_width);
                brick brick (a[2*a_at +: 2], w[2*w_at +: 2], a_signed && is_top(i, a_width),
                             w_signed && is_top(j, w_width), product[4*i+j]);
            end
        end
        for (i = 0; i < 2; i = i + 1) begin : a_half
            for (j = 0; j < 2; j = j + 1) begin : w_half
                wire [1:0] a_shift = a_width == 0 ? 0 : 2;
                wire [1:0] w_shift = w_width == 0 ? 0 : 2;
                wire [2:0] place = a_shift + w_shift;
                assign quad[2*i+j] = product[8*i+2*j]
                    + (product[8*i+2*j+1] <<< w_shift)
                    + (product[8*i+2*j+4] <<< a_shift)
                    + (product[8*i+2*j+5] <<< place);
            end
        end
    endgenerate

    wire [3:0] a_shift = a_width == 2 ? 4 : 0;
    wire [3:0] w_shift = w_width == 2 ? 4 : 0;
    assign sum = quad[0] + (quad[1] <<< w_shift) + (quad[2] <<< a_shift) + (quad[3] <<< (a_shift + w_shift));
endmodule
