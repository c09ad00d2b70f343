// A shift register of STAGES clocks; none is a wire.
module delay #(parameter WIDTH = 1, parameter STAGES = 0) (
    input clk,
    input reset,
    input [WIDTH-1:0] in,
    output [WIDTH-1:0] out
);
    generate
        if (STAGES == 0) begin : wire_only
            assign out = in;
        end else begin : stages
            reg [WIDTH*STAGES-1:0] held;
            assign out = held[WIDTH*STAGES-1 -: WIDTH];
            always @(posedge clk)
                if (reset)
                    held <= 0;
                else
                    held <= (held << WIDTH) | in;
        end
    endgenerate
endmodule
