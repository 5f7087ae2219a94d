using System.Buffers;
using System.Text;
using StickyWs.Http1;

namespace StickyWs.Forwarding;

/// <summary>
/// Writes a backend's response to a client without an HTTP server in between: its own headers byte for byte, without hop-by-hop headers.
/// </summary>
internal static class ResponseHeadWriter
{
    public static void WriteSwitchingProtocols(IBufferWriter<byte> output, ResponseHead answer)
    {
        output.Write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"u8);
        WriteHeaders(output, answer);
    }

    /// <summary>Writes a response after which the connection is closed.</summary>
    public static void WriteClosing(IBufferWriter<byte> output, ResponseHead answer)
    {
        output.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {answer.Status} "));
        output.Write(answer.Reason);
        output.Write("\r\nConnection: close\r\n"u8);
        WriteHeaders(output, answer);
    }

    private static void WriteHeaders(IBufferWriter<byte> output, ResponseHead answer)
    {
        var headers = answer.ReadHeaders();
        while (headers.Read())
        {
            if (!answer.IsHopByHop(headers.Name)) RequestHeadWriter.WriteHeader(output, headers.Name, headers.Value);
        }

        output.Write("\r\n"u8);
    }
}
