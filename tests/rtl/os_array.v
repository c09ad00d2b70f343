// Output-stationary systolic array: sums stay, inputs move right, weights move down.
//
// A finished sum is held beside its accumulator, which goes on with the next fold. When the bottom PE of a
// column finishes, the column's sums enter its drain chain together and leave below, one per clock, the last row
// first. Rows and columns are skewed inside: a step enters whole.
module os_pe #(parameter BOTTOM = 0) (
    input clk,
    input reset,
    input signed [7:0] a_in,
    input valid_in,
    input first_in,
    input last_in,
    input signed [7:0] w_in,
    input load_drain,
    input signed [31:0] drain_in,
    output reg signed [7:0] a_out,
    output reg valid_out,
    output reg first_out,
    output reg last_out,
    output reg signed [7:0] w_out,
    output reg signed [31:0] drain_out,
    output finishes
);
    reg signed [31:0] accumulator, held;
    wire signed [31:0] start = first_in ? 32'sd0 : accumulator;
    wire signed [31:0] next = start + a_in * w_in;

    assign finishes = valid_in && last_in;

    always @(posedge clk)
        if (reset) begin
            {a_out, valid_out, first_out, last_out, w_out, drain_out} <= 0;
            {accumulator, held} <= 0;
        end else begin
            a_out <= a_in;
            valid_out <= valid_in;
            first_out <= first_in;
            last_out <= last_in;
            w_out <= w_in;
            if (valid_in)
                accumulator <= next;
            if (finishes)
                held <= next;
            // The bottom PE's own sum has no time to be held.
            drain_out <= !load_drain ? drain_in : BOTTOM ? next : held;
        end
endmodule

module os_array #(parameter ROWS = 4, parameter COLS = 4) (
    input clk,
    input reset,
    input [8*ROWS-1:0] a,     // a step: one input per row
    input [8*COLS-1:0] w,     // and one weight per column
    input valid,
    input first,
    input last,
    output [32*COLS-1:0] out, // bottom of the drain chains
    output [COLS-1:0] loading // in this clock the chain of the column is loaded
);
    wire signed [7:0] a_at [0:ROWS*(COLS+1)-1];
    wire valid_at [0:ROWS*(COLS+1)-1];
    wire first_at [0:ROWS*(COLS+1)-1];
    wire last_at [0:ROWS*(COLS+1)-1];
    wire signed [7:0] w_at [0:(ROWS+1)*COLS-1];
    wire signed [31:0] drain_at [0:(ROWS+1)*COLS-1];
    wire finishes_at [0:ROWS*COLS-1];

    genvar r, c;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : row
            wire [10:0] entering;
            delay #(.WIDTH(11), .STAGES(r)) skew (clk, reset, {a[8*r +: 8], valid, first, last}, entering);
            assign a_at[r*(COLS+1)] = entering[10:3];
            assign valid_at[r*(COLS+1)] = entering[2];
            assign first_at[r*(COLS+1)] = entering[1];
            assign last_at[r*(COLS+1)] = entering[0];
            for (c = 0; c < COLS; c = c + 1) begin : col
                os_pe #(.BOTTOM(r == ROWS-1)) pe (
                    clk, reset,
                    a_at[r*(COLS+1)+c], valid_at[r*(COLS+1)+c], first_at[r*(COLS+1)+c], last_at[r*(COLS+1)+c],
                    w_at[r*COLS+c], loading[c], drain_at[r*COLS+c],
                    a_at[r*(COLS+1)+c+1], valid_at[r*(COLS+1)+c+1], first_at[r*(COLS+1)+c+1],
                    last_at[r*(COLS+1)+c+1], w_at[(r+1)*COLS+c], drain_at[(r+1)*COLS+c], finishes_at[r*COLS+c]);
            end
        end
        for (c = 0; c < COLS; c = c + 1) begin : edge_of
            wire [7:0] entering;
            delay #(.WIDTH(8), .STAGES(c)) skew (clk, reset, w[8*c +: 8], entering);
            assign w_at[c] = entering;
            assign drain_at[c] = 0;
            assign loading[c] = finishes_at[(ROWS-1)*COLS+c];
            assign out[32*c +: 32] = drain_at[ROWS*COLS+c];
        end
    endgenerate
endmodule
