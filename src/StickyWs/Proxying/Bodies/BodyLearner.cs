using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Dispatch;

namespace StickyWs.Proxying;

/// <summary>Lets affinity inspect the body of a response, which then goes to the client unchanged.</summary>
internal static class BodyLearner
{
    // Ten times the size of SignalR's and Socket.IO's responses; a longer body is inspected up to this length only.
    private const int LongestLook = 16 * 1024;

    public static async ValueTask LearnAsync(Decision decision, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = response.Content;
        var reader = PipeReader.Create(await body.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);

        // Only while it can be such a response: a stream of the application must not be delayed until its end.
        while (!read.IsCompleted && read.Buffer.Length < LongestLook && Decision.IsPart(Joined(read.Buffer)))
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }

        await decision.LearnAsync(Joined(read.Buffer)).ConfigureAwait(false);
        reader.AdvanceTo(read.Buffer.Start);
        response.Content = new StreamContent(reader.AsStream());
        foreach (var (name, values) in body.Headers.NonValidated) response.Content.Headers.TryAddWithoutValidation(name, values);
    }

    private static ReadOnlySpan<byte> Joined(in ReadOnlySequence<byte> buffer) => buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
}
