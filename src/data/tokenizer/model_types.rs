//! Which class transformers 5.24 has for the tokenizer of a kind of model, by the `model_type` of
//! its config.json. It counts where no file names a class, and where one names GPT2Tokenizer beside
//! a model whose tokenizer is to be taken as it is. A test holds the three lists against the
//! library's table, which `tests/reference/folders.py` keeps.

/// Kinds of models whose tokenizer is a GPT2Tokenizer.
const GPT2: &str = "\
     blip-2 codegen dbrx emu3 gpt2 gpt_neo gptj hyperclovax_vision_v2 instructblip \
     instructblipvideo jais2 opt phi starcoder2";

/// Kinds of models whose tokenizer is their tokenizer.json as it is (TokenizersBackend).
const WHOLE: &str = "\
     EvollaModel arctic aria beam bigbird_pegasus camembertv2-base canary chatlm cohere_asr \
     ernie4_5 ernie4_5_moe flex_olmo fuyu glm glm4 glm4_moe glm4_moe_lite glm4v glm4v_moe \
     glm_image glmasr got_ocr2 gpt_bigcode gradium_phonon_tts granite granitemoe granitemoehybrid \
     granitemoeshared h2ovl_chat hyperclovax hyperclovax_vlm internlm2 internlm3 iquestcoder jamba \
     kimi_k25 kimi_linear kosmos-2 llava llava_next mimo_v2_flash minicpm3 minicpm_ocr minicpmv \
     minicpmv4_6 minicpmv4_7 minimax_m2 ministral ministral3 mistral mistral3 mistral_large4 \
     mixtral modernbert modernbert-decoder molmo molmo2 nemo_speechlm nemotron nvfp4 nystromformer \
     olmo2 olmo3 olmo_hybrid omniasr opencua openvla paddleocr_vl pegasus_x persimmon phi3 phi3_v \
     phimoe pix2struct pixtral pocket_tts smolvlm stablelm step3_vl umt5 vipllava voxtral \
     voxtral_realtime xlm-roberta-xl";

/// Kinds of models whose tokenizer has a class with rules of its own, or none in the library.
const OTHERS: &str = "\
     aimv2 albert align audioflamingo3 aya_vision bark bart barthez bartpho bert bert-generation \
     bert-japanese bertweet big_bird biogpt blenderbot blenderbot-small blip bridgetower bros byt5 \
     camembert canine chinese_clip clap clip clipseg clvp code_llama cohere cohere2 colqwen2 \
     convbert cosmos3_omni cpm cpmant ctrl data2vec-audio data2vec-text deberta deberta-v2 dia \
     diffusion_gemma distilbert dots3_note dpr electra ernie esm esmc esmfold2 falcon_mamba \
     fastspeech2_conformer flaubert flava florence2 fnet fsmt fun_asr_nano funnel gemma gemma2 \
     gemma3 gemma3_text gemma3n gemma3n_text git gpt-sw3 gpt_neox gpt_neox_japanese \
     granite_speech5_ctc grounding-dino groupvit gte herbert hubert hunyuan_vl ibert idefics \
     idefics2 internvl jina_embeddings_v3 lasr_ctc lasr_encoder layoutlm layoutlmv2 layoutlmv3 \
     layoutxlm led lighton_ocr lilt longformer luke lxmert m2m_100 mamba mamba2 marian markuplm \
     mbart mbart50 mega megatron-bert metaclip_2 mgp-str mluke mm-grounding-dino mobilebert \
     moss_transcribe_diarize mpnet mpt mra mt5 musicgen musicgen_melody mvp myt5 nemotron3_5_asr \
     nemotron_asr_streaming nezha nllb nllb-moe nomic_bert nougat olmo olmoe omdet-turbo \
     omniasr_ctc oneformer openai-gpt ovis2 owlv2 owlvit parakeet_ctc parakeet_rnnt parakeet_tdt \
     pegasus perceiver phobert plbart pp_formulanet prophetnet qdqbert qianfan_ocr qwen2 \
     qwen2_5_omni qwen2_5_vl qwen2_audio qwen2_moe qwen2_vl qwen3 qwen3_5 qwen3_5_moe \
     qwen3_5_moe_text qwen3_5_text qwen3_asr qwen3_moe qwen3_next qwen3_omni_moe qwen3_vl \
     qwen3_vl_moe qwen4_exp rag realm recurrent_gemma reformer rembert retribert roberta \
     roberta-prelayernorm roc_bert roformer rwkv sam3 sam3_video seamless_m4t seamless_m4t_v2 \
     shieldgemma2 siglip siglip2 speech_to_text speecht5 splinter squeezebert switch_transformers \
     t5 t5gemma tapas tipsv2 trocr tvp udop unispeech unispeech-sat vibevoice videoprism vilt \
     visual_bert vits wav2vec2 wav2vec2-bert wav2vec2-conformer wav2vec2_phoneme whisper xclip \
     xglm xlm xlm-roberta xlnet xlstm xmod yoso zaya";

/// What transformers has for the tokenizers of a kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RegisteredClass {
    Gpt2,
    /// The file as it is.
    Whole,
    Other,
}

impl RegisteredClass {
    /// That of a `model_type`; none of one that the library does not know.
    pub fn of(model_type: &str) -> Option<Self> {
        let lists = [
            (GPT2, Self::Gpt2),
            (WHOLE, Self::Whole),
            (OTHERS, Self::Other),
        ];
        let known = |list: &str| list.split(' ').any(|known| known == model_type);
        let found = lists.into_iter().find(|(list, _)| known(list));
        found.map(|(_, class)| class)
    }
}

#[cfg(test)]
#[path = "model_types_tests.rs"]
mod tests;
