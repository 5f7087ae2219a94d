using System.Buffers;
using System.Text;
using StickyWs.Http1;

namespace StickyWs.Fuzz;

/// <summary>The requests that the direct lane's parser and counter find in the bytes of a client's connection, when these come in pieces.</summary>
internal sealed class DirectReading
{
    private readonly List<SeenRequest> _seen = [];

    /// <summary>The whole requests that were taken.</summary>
    public IReadOnlyList<SeenRequest> Seen => _seen;

    /// <summary>Where the last of them ends.</summary>
    public int End { get; private set; }

    /// <summary>Why it ended.</summary>
    public string Why { get; private set; } = "";

    /// <summary>The request that was taken, but whose body is not whole or not valid.</summary>
    public bool HasPart { get; private set; }

    /// <summary>Whether the last of them asks for an upgrade.</summary>
    public bool IsUpgrade { get; private set; }

    public static DirectReading Of(byte[] bytes, int[] cuts, HeadLimits limits)
    {
        var reading = new DirectReading();
        while (reading.Why.Length == 0 && reading.TakeOne(bytes, cuts, limits))
        {
        }

        return reading;
    }

    public bool Same(DirectReading other)
        => Seen.Count == other.Seen.Count && Seen.Zip(other.Seen).All(pair => pair.First.Same(pair.Second))
            && (End, Why, HasPart, IsUpgrade) == (other.End, other.Why, other.HasPart, other.IsUpgrade);

    public override string ToString() => $"{Why} at {End} behind {string.Join(", ", Seen)}";

    private bool TakeOne(byte[] bytes, int[] cuts, HeadLimits limits)
    {
        var (start, searched, verdict, request) = (End, 0, HeadVerdict.Incomplete, default(DirectRequest));
        foreach (var cut in cuts.Where(cut => cut > start))
        {
            verdict = DirectRequestParser.Parse(bytes.AsSpan(start, cut - start), limits, ref searched, out request);
            if (verdict != HeadVerdict.Incomplete) break;
        }

        if (verdict != HeadVerdict.Taken) return Ends(verdict.ToString());
        var bodyStart = start + request.HeadLength;
        var counter = BodyCounter.Of(request, limits);
        var at = bodyStart;
        foreach (var cut in cuts.Where(cut => cut > bodyStart))
        {
            at += counter.Take(bytes.AsSpan(at, cut - at), out var fault);
            if (fault == BodyFault.None) continue;
            HasPart = true;
            return Ends(fault.ToString());
        }

        HasPart = !counter.IsDone;
        if (HasPart) return Ends("Partial");
        End = at;
        IsUpgrade = request.IsUpgrade;
        _seen.Add(Show(bytes.AsSpan(start, request.HeadLength), request, bytes.AsSpan(bodyStart, at - bodyStart)));
        return request.IsUpgrade ? Ends("Upgrade") : request.KeepAlive || Ends("Close");
    }

    private bool Ends(string why)
    {
        Why = why;
        return false;
    }

    private static SeenRequest Show(ReadOnlySpan<byte> head, in DirectRequest request, ReadOnlySpan<byte> body)
    {
        var lines = new List<(string, string)>();
        var headers = request.Headers(head);
        while (headers.Read()) lines.Add((Encoding.Latin1.GetString(headers.Name), Encoding.Latin1.GetString(headers.Value)));
        Broken.If(lines.Count != request.HeaderCount, "The number of headers is wrong.");
        var decoder = new BodyDecoder(request.Framing, request.ContentLength);
        var decoded = new ArrayBufferWriter<byte>();
        var isRefused = false;
        try
        {
            if (request.HasBody) decoder.Decode(body, decoded);
        }
        catch (IOException)
        {
            // The decoder has a lower cap for a line of trailers.
            isRefused = true;
        }

        Broken.If(request.HasBody && !decoder.IsComplete && !isRefused, "The counter finds an end that the decoder does not.");
        return new SeenRequest(Encoding.ASCII.GetString(request.Method(head)), Encoding.ASCII.GetString(request.Target(head)),
            Encoding.ASCII.GetString(request.Path(head)), Encoding.ASCII.GetString(request.Host(head)), KestrelReader.Show(lines),
            decoded.WrittenSpan.ToArray(), !request.KeepAlive);
    }
}
