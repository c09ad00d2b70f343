// Weight-stationary systolic array: weights stay, inputs move right, sums move down and out.
//
// Weights travel down their column beside the sums, each with the number of its row, and wait there in a
// shadow register. A token that moves with the first input of a fold makes each PE take over its shadow, so
// that a fold's weights may come in while the fold before computes. Rows and columns are skewed inside: a step
// enters whole, and so does a row of weights.
module ws_pe #(parameter ROW = 0) (
    input clk,
    input reset,
    input signed [7:0] x_in,
    input valid_in,
    input first_in,
    input signed [31:0] sum_in,
    input signed [7:0] w_in,
    input [15:0] w_row_in,
    input w_valid_in,
    output reg signed [7:0] x_out,
    output reg valid_out,
    output reg first_out,
    output reg signed [31:0] sum_out,
    output reg signed [7:0] w_out,
    output reg [15:0] w_row_out,
    output reg w_valid_out
);
    reg signed [7:0] active, shadow;
    wire signed [7:0] weight = first_in ? shadow : active;

    always @(posedge clk)
        if (reset) begin
            {x_out, valid_out, first_out, sum_out} <= 0;
            {w_out, w_row_out, w_valid_out} <= 0;
            {active, shadow} <= 0;
        end else begin
            x_out <= x_in;
            valid_out <= valid_in;
            first_out <= first_in;
            active <= weight;
            sum_out <= sum_in + x_in * weight;
            w_out <= w_in;
            w_row_out <= w_row_in;
            w_valid_out <= w_valid_in;
            if (w_valid_in && w_row_in == ROW)
                shadow <= w_in;
        end
endmodule

module ws_array #(parameter ROWS = 4, parameter COLS = 4) (
    input clk,
    input reset,
    input [8*ROWS-1:0] x,       // a step: one input per row
    input x_valid,
    input x_first,
    input [8*COLS-1:0] w,       // at most one weight per column, of row w_row[c]
    input [16*COLS-1:0] w_row,
    input [COLS-1:0] w_valid,
    output [32*COLS-1:0] sum,   // below the last row
    output [COLS-1:0] sum_valid
);
    // Wires between PEs: x_* into column c of row r, the others into row r of column c.
    wire signed [7:0] x_at [0:ROWS*(COLS+1)-1];
    wire valid_at [0:ROWS*(COLS+1)-1];
    wire first_at [0:ROWS*(COLS+1)-1];
    wire signed [31:0] sum_at [0:(ROWS+1)*COLS-1];
    wire signed [7:0] w_at [0:(ROWS+1)*COLS-1];
    wire [15:0] w_row_at [0:(ROWS+1)*COLS-1];
    wire w_valid_at [0:(ROWS+1)*COLS-1];

    genvar r, c;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : row
            wire [9:0] entering;
            delay #(.WIDTH(10), .STAGES(r)) skew (clk, reset, {x[8*r +: 8], x_valid, x_first}, entering);
            assign x_at[r*(COLS+1)] = entering[9:2];
            assign valid_at[r*(COLS+1)] = entering[1];
            assign first_at[r*(COLS+1)] = entering[0];
            for (c = 0; c < COLS; c = c + 1) begin : col
                ws_pe #(.ROW(r)) pe (
                    clk, reset,
                    x_at[r*(COLS+1)+c], valid_at[r*(COLS+1)+c], first_at[r*(COLS+1)+c],
                    sum_at[r*COLS+c], w_at[r*COLS+c], w_row_at[r*COLS+c], w_valid_at[r*COLS+c],
                    x_at[r*(COLS+1)+c+1], valid_at[r*(COLS+1)+c+1], first_at[r*(COLS+1)+c+1],
                    sum_at[(r+1)*COLS+c], w_at[(r+1)*COLS+c], w_row_at[(r+1)*COLS+c], w_valid_at[(r+1)*COLS+c]);
            end
        end
        for (c = 0; c < COLS; c = c + 1) begin : edge_of
            wire [24:0] entering;
            delay #(.WIDTH(25), .STAGES(c)) skew (clk, reset, {w[8*c +: 8], w_row[16*c +: 16], w_valid[c]}, entering);
            assign w_at[c] = entering[24:17];
            assign w_row_at[c] = entering[16:1];
            assign w_valid_at[c] = entering[0];
            assign sum_at[c] = 0;
            assign sum[32*c +: 32] = sum_at[ROWS*COLS+c];
            assign sum_valid[c] = valid_at[(ROWS-1)*(COLS+1)+c+1];
        end
    endgenerate
endmodule
