namespace StickyWs.Benchmarks.Traffic;

/// <summary>A request of plain HTTP and its answer, as the load and the backend know them.</summary>
/// <param name="path">What the backend knows it by.</param>
/// <param name="sent">Bytes in the request's body; none: it is a GET.</param>
/// <param name="received">Bytes in the answer's.</param>
internal sealed class Exchange(string path, int sent, int received)
{
    private const int Small = 64;
    private const int Large = 16 * 1024;
    private const int Huge = 1_000_000;

    /// <summary>By their names on the command line.</summary>
    public static IReadOnlyDictionary<string, Exchange> All { get; } = new Dictionary<string, Exchange>
    {
        ["small"] = new("/rooms/42", 0, Small),
        ["large"] = new("/large", 0, Large),
        ["download"] = new("/download", 0, Huge),
        ["upload"] = new("/upload", Huge, Small),
    };

    /// <summary>Bytes in the request's body.</summary>
    public int Sent => sent;

    /// <summary>Bytes in the answer's body.</summary>
    public int Received => received;

    public byte[] Request { get; } = sent == 0
        ? Messages.Head($"GET {path} HTTP/1.1", "Accept: */*")
        : [.. Messages.Head($"PUT {path} HTTP/1.1", $"Content-Length: {sent}"), .. Enumerable.Repeat((byte)'x', sent)];

    public byte[] Answer { get; } =
        [.. Messages.Encode("HTTP/1.1 200 OK", "Content-Type: text/plain", $"Content-Length: {received}"), .. Enumerable.Repeat((byte)'x', received)];

    /// <summary>The one that a head asks for.</summary>
    public static Exchange Of(ReadOnlySpan<byte> head)
        => head.StartsWith("GET /large "u8) ? All["large"]
        : head.StartsWith("GET /download "u8) ? All["download"]
        : head.StartsWith("PUT /upload "u8) ? All["upload"] : All["small"];
}
